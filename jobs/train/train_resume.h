/* Going on from where a run was saved.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_RESUME_H
#define GG_JOBS_TRAIN_TRAIN_RESUME_H

#include "jobs/train/training_run.h"

/* Keeps other jobs out of run.dir, and looks for its newest checkpoint: one that is damaged, or is of another
 * step than its name tells, is passed over, with a warning. A storage that fails is no damage: what failed is
 * tried again for a while (storage_patience.h), and then ends the run. Checks that it goes with the settings
 * and the data; fills trainer->resume and trainer->at, which stay empty when there is none.
 * Collective over the world. GG_USAGE: the model has another shape (the settings that differ are named), or
 * run.dir's name is too long for files in it. GG_STORAGE, GG_RESOURCE: the storage still fails. GG_BAD_DATA:
 * another tokenizer, or there are checkpoints and none can be used, and run.restart is not set. GG_FAILED:
 * another job has the folder. */
gg_status gg_train_resume_find(struct gg_trainer *trainer) GG_MUST_USE;

/* Fills weights and optimizer states from trainer->resume.path, or with a new run's when there is none. A
 * file whose values do not verify is passed over for the next older one, as above; those passed over are
 * renamed to NAME.damaged or NAME.misnamed once the run stands. Collective over the world. Errors as
 * above. */
gg_status gg_train_resume_read(struct gg_trainer *trainer) GG_MUST_USE;

/* Frees trainer->resume and gives the run folder back. Local. */
void gg_train_resume_free(struct gg_trainer *trainer);

#endif
