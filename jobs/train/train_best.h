/* The best validation of a run: which checkpoint is kept for it, and when a run ends for want of a better one.
 *
 * Validations are compared where eval.patience or checkpoint.best asks for it; what came of that stands in the
 * checkpoint (struct gg_checkpoint_meta), so that a run that goes on ends at the same step. All local, and the
 * same on every rank where nothing else is said.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_BEST_H
#define GG_JOBS_TRAIN_TRAIN_BEST_H

#include "jobs/train/training_run.h"

/* GG_USAGE: nothing would ever be compared. */
gg_status gg_train_best_check(const struct gg_trainer *trainer) GG_MUST_USE;

/* Compares the loss of a validation behind the step that the run stands at. Where it is the least so far, the
 * checkpoint of this step is due, and trainer->best_due is set for it. */
void gg_train_best_judge(struct gg_trainer *trainer);

/* Rank 0, once it is clear which checkpoint the run goes on from: if that is the best, it gets its name again. A
 * run that was killed behind the writing of it has not given it. GG_STORAGE. */
gg_status gg_train_best_name_again(const struct gg_trainer *trainer) GG_MUST_USE;

/* Whether eval.patience is at its end. */
bool gg_train_best_ends(const struct gg_trainer *trainer);

/* Says that the run has ended for that, before or now. */
void gg_train_best_note(struct gg_trainer *trainer);

#endif
