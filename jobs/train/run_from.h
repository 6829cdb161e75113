/* A run that begins with the weights of a checkpoint (run.from): one that was imported, or of another run. With
 * finetune.lora.rank these weights stay, and what is trained stands beside them.
 */
#ifndef GG_JOBS_TRAIN_RUN_FROM_H
#define GG_JOBS_TRAIN_RUN_FROM_H

#include "jobs/train/training_run.h"

/* Fills in model.* from the checkpoint that run.from names, where a setting was not given and no preset either.
 * Local. GG_USAGE: a setting that shapes the model was given another value than the checkpoint has, all of them
 * named; the context may be another where positions are not learned. GG_STORAGE, GG_BAD_DATA, GG_RESOURCE: as
 * gg_checkpoint_examine. Nothing is done where run.from is not set. */
gg_status gg_run_from_settings(struct gg_settings *settings) GG_MUST_USE;

/* Looks for the checkpoint of a run that begins anew, or of adapters at any time: where run.from tells, or else where
 * the adapters' checkpoint kept it. trainer->resume.from is its path then, else NULL. Collective over the world.
 * GG_BAD_DATA: it has another tokenizer than the data, or other weights than the adapters were trained beside.
 * GG_USAGE: adapters without a checkpoint to stand beside. Others as above. */
gg_status gg_run_from_find(struct gg_trainer *trainer) GG_MUST_USE;

/* Reads its weights into the run's. Collective over the world. As gg_checkpoint_read_share. */
gg_status gg_run_from_read(struct gg_trainer *trainer) GG_MUST_USE;

#endif
