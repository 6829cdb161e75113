/* Tasks on all ranks: their files, and a language model's scores for their choices.
 */
#ifndef GG_JOBS_USE_TASK_SCORES_H
#define GG_JOBS_USE_TASK_SCORES_H

#include "jobs/use/scorer.h"
#include "jobs/use/task_requests.h"
#include "jobs/use/task_result.h"

/* Reads a task's file on every rank. Collective; fails alike on every rank, as gg_shared_file_read and gg_task_parse,
 * whose arguments these are. */
gg_status gg_task_read(const struct gg_world *world, const char *path, enum gg_task_kind kind,
                       const struct gg_task_form *form, struct gg_task *task) GG_MUST_USE;

/* Scores all requests. Collective over the world, with the same requests; every rank gets all scores, of one replica's
 * or another's reckoning.
 *   scorer [in]  but for who takes the scores
 *   scores [out] free with gg_task_scores_free, also after a failure
 * As gg_scorer_run. */
gg_status gg_task_scores_make(const struct gg_scorer *scorer, const struct gg_task_requests *requests,
                              struct gg_task_scores *scores) GG_MUST_USE;
/* For whoever scores: no scores yet, of so many choices; and, once each was scored on one rank, those of all on every
 * rank, which is collective over the world. */
void gg_task_scores_begin(struct gg_task_scores *scores, int64_t choices);
void gg_task_scores_share(const struct gg_world *world, struct gg_task_scores *scores);
void gg_task_scores_free(struct gg_task_scores *scores);

#endif
