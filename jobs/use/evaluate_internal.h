/* What `gridgpt evaluate` is given, and what its ways of evaluating share.
 */
#ifndef GG_JOBS_USE_EVALUATE_INTERNAL_H
#define GG_JOBS_USE_EVALUATE_INTERNAL_H

#include "core/base/options.h"
#include "jobs/launch/progress.h"
#include "jobs/use/loaded_model.h"
#include "jobs/use/task.h"

struct gg_evaluate_values {
    struct gg_text_list data, text, classes;
    char *grid, *template, *samples, *tokens, *html;
    int64_t sequences, micro, threads, stride, alternatives;
    int task;      /* enum gg_task_kind */
    int precision; /* enum gg_precision_option */
    bool json;
};

struct gg_evaluate_job {
    const struct gg_world *world;
    const struct gg_evaluate_values *values;
    struct gg_text_list files; /* of tasks; the words are the command line's */
    struct gg_task *tasks;     /* (files) read before the model */
    struct gg_loaded_model model;
    gg_model *trained;
    struct gg_progress bar;
};

/* Of shards, opened on a rank that reads: GG_BAD_DATA unless they go with the model. */
gg_status gg_evaluate_check_shards(const struct gg_loaded_model *model, const char *path, int64_t vocab,
                                   uint64_t fingerprint) GG_MUST_USE;

/* Reads the task files, before there is a model. Collective; fails alike on every rank. */
gg_status gg_evaluate_read_tasks(struct gg_evaluate_job *job) GG_MUST_USE;

/* Evaluates the tasks; or documents, of shards or of texts; and prints what came out. Collective; fail alike on every
 * rank. */
gg_status gg_evaluate_tasks(struct gg_evaluate_job *job) GG_MUST_USE;
gg_status gg_evaluate_documents(struct gg_evaluate_job *job) GG_MUST_USE;

/* The bar of rank 0, for the member `progress` of evaluators. */
void gg_evaluate_show_progress(void *bar, int64_t done, int64_t total);

#endif
