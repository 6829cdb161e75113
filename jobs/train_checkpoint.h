/* Saving a run and going on from where it was saved.
 */
#ifndef GG_JOBS_TRAIN_CHECKPOINT_H
#define GG_JOBS_TRAIN_CHECKPOINT_H

#include "jobs/trainer.h"

/* Looks for the newest checkpoint of run.dir, and checks that it goes with the settings and the data: fills
 * trainer->resume_path and trainer->at, which stay empty when there is none. Collective over the world.
 * GG_USAGE: the model has another shape (the settings that differ are named). GG_BAD_DATA: another tokenizer,
 * or not a checkpoint. changed [out] what else differs from the settings of the checkpoint, "optim.lr 0.001
 * (was 0.002), ..."; on rank 0, owned by the caller, NULL when nothing does */
gg_status gg_train_resume_find(struct gg_trainer *trainer, char **changed) GG_MUST_USE;

/* Reads weights and moments from trainer->resume_path. Collective over the world. */
gg_status gg_train_resume_read(struct gg_trainer *trainer) GG_MUST_USE;

/* Writes run.dir/checkpoints/step-NNNNNNNN.h5 and removes the oldest beyond checkpoint.keep. Collective over
 * the world: the first replica writes, all wait. GG_STORAGE, on every rank: it cannot be written. */
gg_status gg_train_checkpoint_save(struct gg_trainer *trainer) GG_MUST_USE;

#endif
