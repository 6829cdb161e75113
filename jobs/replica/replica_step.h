/* One optimizer step of all replicas.
 */
#ifndef GG_JOBS_REPLICA_REPLICA_STEP_H
#define GG_JOBS_REPLICA_REPLICA_STEP_H

#include "io/shards/loader.h"
#include "jobs/replica/replica.h"

extern const char *const gg_phase_names[GG_STEP_PHASES];

/* Counts that ride on the step's one agreement: each is summed over all ranks. What they mean is the caller's. */
enum { GG_STEP_VOTES = 4 };

struct gg_replica_step {
    double learning_rate;                                     /* [in] */
    void (*vote)(void *context, double votes[GG_STEP_VOTES]); /* [in] gives this rank's; or NULL */
    void *context;
    double votes[GG_STEP_VOTES]; /* [out] sums over all ranks */

    double loss; /* [out] mean over what counts in the global batch: nats per token, or per class */
    double grad_norm;
    bool skipped;         /* loss or gradient not finite: the weights are as before */
    double whole_seconds; /* wall time */
};

/* Takes the next global batch: forward and backward over the micro-batches, the sum over replicas, clipping by the
 * global norm, the optimizer. Adds to replica->updates, ->seconds and ->kernels.
 *   loader [in] started on the replica's plan, on ranks that read (gg_replica_reads); else NULL
 * Collective; every rank gets the same but for the seconds. Errors: the loader's, alike on every rank. */
gg_status gg_replica_step(struct gg_replica *replica, gg_loader *loader,
                          struct gg_replica_step *step) GG_MUST_USE;

#endif
