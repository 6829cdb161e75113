/* What a model with a head of classes makes of a task of classification.
 */
#ifndef GG_JOBS_USE_CLASS_SCORES_H
#define GG_JOBS_USE_CLASS_SCORES_H

#include "jobs/use/scorer.h"
#include "jobs/use/task_scores.h"

/* Scores the classes of each sample by the head, of the text as fine-tuning wrote it: behind the line of
 * finetune.task, cut at the model's context. Collective over the world, with the same arguments; every rank gets all
 * scores.
 *   scorer    [in]  but for who takes the scores
 *   task      [in]  of GG_TASK_CLASSIFY, its classes the model's
 *   settings  [in]  the model's
 *   scores    [out] log-probabilities of the classes; free with gg_task_scores_free, also after a failure
 *   truncated [out] samples that were cut
 * As gg_scorer_run; GG_BAD_DATA: a text that is empty. */
gg_status gg_class_scores_make(const struct gg_scorer *scorer, const struct gg_task *task,
                               const gg_tokenizer *tokenizer, const struct gg_settings *settings,
                               struct gg_task_scores *scores, int64_t *truncated) GG_MUST_USE;

#endif
