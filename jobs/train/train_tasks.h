/* What a run does beside its validation: tasks (eval.tasks), and text that the model writes (eval.sample_every).
 *
 * Everything is collective over the world with the same arguments, and fails alike on every rank.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_TASKS_H
#define GG_JOBS_TRAIN_TRAIN_TASKS_H

#include "core/text/tokenizer.h"
#include "io/run/metrics.h"
#include "jobs/train/session.h"
#include "jobs/use/task_requests.h"

struct gg_train_tasks {
    gg_tokenizer *tokenizer; /* NULL: neither tasks nor text are wanted */
    size_t count;            /* of tasks */
    struct gg_task *tasks;
    struct gg_task_requests *requests; /* (count) */
    size_t prompt_count;               /* 0: no text is wanted */
    struct gg_ids *prompts;            /* (prompt_count) */
    size_t bytes;                      /* of memory: what is held now, and what writing text will take */

    /* What metrics have yet to tell; rank 0 fills it in. */
    bool tasks_fresh, texts_fresh;
    struct gg_metrics_task *results; /* (count) */
    struct gg_metrics_text *texts;   /* (prompt_count) */
};

/* Reads the task files, and makes ids of them and of the prompts; says on rank 0 of which kind each file is.
 *   session [in]  opened: the tokenizer's text is on rank 0, the model has its shape
 *   tasks   [out] zeroed memory; close it after a failure too
 * GG_USAGE: the model tells classes alone. GG_STORAGE, GG_BAD_DATA: as gg_task_read and gg_task_requests_make. */
gg_status gg_train_tasks_open(const struct gg_session *session, struct gg_train_tasks *tasks) GG_MUST_USE;
void gg_train_tasks_close(struct gg_train_tasks *tasks);

/* Scores all tasks with the model in training. GG_STOPPED: left on request, and there is no result then. */
gg_status gg_train_tasks_score(const struct gg_session *session, struct gg_train_tasks *tasks) GG_MUST_USE;

/* Has the model write behind each prompt. GG_RESOURCE: no memory. */
gg_status gg_train_tasks_write(const struct gg_session *session, struct gg_train_tasks *tasks) GG_MUST_USE;

#endif
