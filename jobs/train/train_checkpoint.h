/* Saving a run.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_CHECKPOINT_H
#define GG_JOBS_TRAIN_TRAIN_CHECKPOINT_H

#include "jobs/train/training_run.h"

/* run.dir/checkpoints; owned by the caller. */
char *gg_train_checkpoint_folder(const struct gg_trainer *trainer);

/* Whether checkpoints are written behind the training: checkpoint.async, and MPI allows it. */
bool gg_train_checkpoint_behind(const struct gg_settings *settings);

/* Makes trainer->share and trainer->writer. Collective over the world. GG_RESOURCE: no memory for a copy. */
gg_status gg_train_checkpoint_prepare(struct gg_trainer *trainer) GG_MUST_USE;

/* Begins run.dir/checkpoints/step-NNNNNNNN.h5; behind the training when it can be (then the training only
 * stands still for a copy, and for the end of an earlier write). What comes of it is told by
 * gg_train_checkpoint_take. Collective over the world. */
void gg_train_checkpoint_begin(struct gg_trainer *trainer);

/* Takes the result of a write: waits for its end, reports it, and sets trainer->saved_step. Nothing to do
 * when none is under way. Collective over the world.
 * GG_STORAGE, on every rank: it was not written, or old ones were not removed. */
gg_status gg_train_checkpoint_take(struct gg_trainer *trainer) GG_MUST_USE;

/* The same; a failure is only warned of, for the run goes on with the older checkpoint. */
void gg_train_checkpoint_settle(struct gg_trainer *trainer);

/* Saves the run as it is and waits until it is on the disk. Collective over the world. GG_STORAGE. */
gg_status gg_train_checkpoint_save(struct gg_trainer *trainer) GG_MUST_USE;

/* Frees what gg_train_checkpoint_prepare made. Collective over the world. */
void gg_train_checkpoint_free(struct gg_trainer *trainer);

#endif
