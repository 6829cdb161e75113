#include "jobs/use/task_result.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

/* The first choice with the largest score, over its characters where that is asked for. */
static int64_t choose(const struct gg_task *task, const struct gg_task_sample *sample, const double *scores,
                      bool norm) {
    int64_t best = 0;
    double largest = -INFINITY;
    for (int64_t c = 0; c < sample->count; c++) {
        const double characters = (double)task->choices[sample->first + c].characters;
        const double score = norm ? scores[c] / characters : scores[c];
        if (score > largest) {
            largest = score;
            best = c;
        }
    }
    return best;
}

static double share(const struct gg_task *task, const int64_t *chosen) {
    int64_t right = 0;
    for (int64_t i = 0; i < task->sample_count; i++)
        right += chosen[i] == task->samples[i].gold;
    return (double)right / (double)task->sample_count;
}

static double mean(const double *values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

static void make_classes(const struct gg_task *task, struct gg_task_result *result) {
    int64_t *gold = gg_malloc((size_t)task->sample_count * sizeof *gold);
    for (int64_t i = 0; i < task->sample_count; i++)
        gold[i] = task->samples[i].gold;
    gg_class_figures_make(gold, result->chosen, task->sample_count, (int64_t)task->classes.count,
                          &result->classes);
    free(gold);
}

void gg_task_result_make(const struct gg_task *task, const struct gg_task_scores *scores,
                         struct gg_task_result *result) {
    const size_t samples = (size_t)task->sample_count;
    *result = (struct gg_task_result){.chosen = gg_calloc(samples, sizeof(int64_t)),
                                      .chosen_norm = gg_calloc(samples, sizeof(int64_t))};
    const double *of_sample = scores->log_likelihoods;
    for (int64_t i = 0; i < task->sample_count; i++) {
        const struct gg_task_sample *sample = &task->samples[i];
        result->chosen[i] = choose(task, sample, of_sample, false);
        result->chosen_norm[i] = choose(task, sample, of_sample, true);
        of_sample += sample->count;
    }
    struct gg_task_figure *figures = result->figures;
    switch (task->kind) {
    case GG_TASK_LAMBADA:
    case GG_TASK_CLOZE:
        figures[0] = (struct gg_task_figure){"acc", mean(scores->greedy, scores->count)};
        figures[1] =
            (struct gg_task_figure){"perplexity", exp(-mean(scores->log_likelihoods, scores->count))};
        break;
    case GG_TASK_CLASSIFY:
        make_classes(task, result);
        figures[0] = (struct gg_task_figure){"acc", result->classes.accuracy};
        figures[1] = (struct gg_task_figure){"macro_f1", result->classes.macro_f1};
        break;
    case GG_TASK_HELLASWAG:
    case GG_TASK_MULTIPLE_CHOICE:
    case GG_TASK_AUTO:
        figures[0] = (struct gg_task_figure){"acc", share(task, result->chosen)};
        figures[1] = (struct gg_task_figure){"acc_norm", share(task, result->chosen_norm)};
        break;
    }
}

void gg_task_result_free(struct gg_task_result *result) {
    gg_class_figures_free(&result->classes);
    free(result->chosen);
    free(result->chosen_norm);
    *result = (struct gg_task_result){0};
}
