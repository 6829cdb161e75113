/* What a model's scores make of a task. Whoever can score the choices of a sample may fill in the scores: a language
 * model by how likely their text is (task_scores.h), a classifier by its classes. All local.
 */
#ifndef GG_JOBS_USE_TASK_RESULT_H
#define GG_JOBS_USE_TASK_RESULT_H

#include "jobs/use/class_figures.h"
#include "jobs/use/task.h"

/* Of each choice of each sample, samples in order. */
struct gg_task_scores {
    double *log_likelihoods; /* of all tokens of the choice, nats */
    double *greedy;          /* 1: each of them is the likeliest where it stands; else 0 */
    int64_t count;
};

struct gg_task_figure {
    const char *name;
    double value;
};
enum { GG_TASK_FIGURES = 2 };

struct gg_task_result {
    /* acc: samples whose right choice has the largest score; acc_norm: of those by score over characters. Of lambada
     * and cloze acc: samples whose target is what the model would write; perplexity: of the target, whole. Of classify
     * acc and macro_f1. Equal scores: the first counts. */
    struct gg_task_figure figures[GG_TASK_FIGURES];
    struct gg_class_figures classes; /* of classify */
    int64_t *chosen;                 /* (samples) the choice with the largest score */
    int64_t *chosen_norm;            /* (samples) with the largest score over characters */
};

/*   result [out] free with gg_task_result_free */
void gg_task_result_make(const struct gg_task *task, const struct gg_task_scores *scores,
                         struct gg_task_result *result);
void gg_task_result_free(struct gg_task_result *result);

#endif
