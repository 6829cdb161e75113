/* A training run from its start to its end.
 */
#ifndef GG_JOBS_TRAIN_TRAINER_H
#define GG_JOBS_TRAIN_TRAINER_H

#include "jobs/train/training_run.h"

/* Checks everything, announces the memory, allocates it, and loads or initialises the weights: afterwards the
 * trainer can step. GG_STOPPED: a signal came meanwhile. `trainer` is zeroed memory; destroy it after a
 * failure too. Collective over the world, with the same settings; fails alike on every rank. */
gg_status gg_trainer_create(const struct gg_world *world, const struct gg_settings *settings,
                            struct gg_trainer *trainer) GG_MUST_USE;
void gg_trainer_destroy(struct gg_trainer *trainer);

/* Trains to run.steps. GG_STOPPED: a signal came, a checkpoint is written, start again to go on. GG_FAILED:
 * run.max_bad_steps steps in a row were not finite. GG_STORAGE: the last checkpoint could not be written, or
 * it was and lines of metrics are lost. Collective. */
gg_status gg_trainer_run(struct gg_trainer *trainer) GG_MUST_USE;

#endif
