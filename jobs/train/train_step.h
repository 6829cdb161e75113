/* One optimizer step.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_STEP_H
#define GG_JOBS_TRAIN_TRAIN_STEP_H

#include "jobs/replica/replica_step.h"
#include "jobs/train/training_run.h"

struct gg_step_result {
    double loss; /* mean over the global batch, nats per token */
    double grad_norm, learning_rate;
    bool skipped; /* loss or gradient not finite: the weights are as before */
    bool stop;    /* some rank was asked to stop, or the time is up */
    bool time_is_up;
    bool validation_left;  /* that behind the step: a stop was asked for; the next start does it */
    bool checkpoint_due;   /* by time */
    bool checkpoint_ended; /* a write that was under way has ended on every rank */
    double whole_seconds;  /* wall time */
};

/* Takes the next global batch of the data order: forward and backward over the micro-batches, the sum over
 * replicas, clipping by the global norm, the optimizer. Counts in trainer->at and trainer->seconds.
 * Collective; every rank gets the same result but for the seconds. Errors: the loader's, alike on every
 * rank. */
gg_status gg_train_step(struct gg_trainer *trainer, struct gg_step_result *result) GG_MUST_USE;

#endif
