/* The sum of the gradients over replicas, in buckets, while the backward pass still runs.
 *
 * The flat gradient buffer is cut from its end into buckets of fixed bounds. As soon as the backward pass has
 * made a whole bucket final, its sum starts (bucket_sums.h). An MPI library makes progress only inside its
 * calls: either the hook's calls between kernels drive the sums on, or a thread does, for which a core
 * should be free. The sums have the same bits either way. With one replica nothing is done at all.
 *
 * Two ways to sum. Allreduce: every replica gets every sum, with the same bits, and updates every weight.
 * Scatter (ZeRO stage 1, Rajbhandari et al. 2020, section 5.1): each replica gets a D-th of every bucket,
 * keeps the optimizer's state for it, updates it, and gg_reducer_gather() all-gathers the new weights. What a
 * replica updates are its owned ranges; optimizer state stands in compact buffers, range behind range.
 */
#ifndef GG_MPI_REDUCE_REDUCTION_H
#define GG_MPI_REDUCE_REDUCTION_H

#include "core/base/status.h"
#include "core/model/model.h"
#include "core/plan/partition.h"
#include "mpi/reduce/bucket_sums.h"

#include <mpi.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gg_reducer gg_reducer;

struct gg_reducer_options {
    struct gg_partition partition; /* of the gradients, over the replicas */
    enum gg_precision wire;        /* of the gradients; weights are gathered as they are */
    bool scatter;                  /* each replica gets its part of the sums only */
    bool thread;                   /* a thread makes progress; wants gg_world_takes_threads() */
    const cpu_set_t *thread_cores; /* where it may run; NULL: where its maker may */
};

/* Makes a reducer.
 *   replicas  [in] the ranks that hold the same elements, one of each replica, in order; must outlive it
 *   gradients [in] (partition.elements) kept; must outlive the reducer
 * Collective with the same partition and wire; only `thread` may differ. GG_RESOURCE: no memory, or no thread (on this
 * rank: agree). */
gg_status gg_reducer_create(MPI_Comm replicas, float *gradients, const struct gg_reducer_options *options,
                            gg_reducer **reducer) GG_MUST_USE;

/* Collective over the replicas. */
void gg_reducer_destroy(gg_reducer **reducer);

/* Begins a step: no gradient is final. With a bf16 wire, what rounding left of the step before is added to its
 * sums. Local. */
void gg_reducer_begin(gg_reducer *reducer);

/* The model's hook: gradients at offsets >= `from` are final, which only falls. Starts the buckets that became
 * whole, and without a thread drives on those under way. Never waits. Valid as long as the reducer. */
struct gg_gradient_hook gg_reducer_hook(gg_reducer *reducer);

/* Declares every gradient final and waits for all buckets; afterwards the owned ranges hold the sums.
 * Collective. */
void gg_reducer_finish(gg_reducer *reducer);

/* An owned range: elements [from, to) of the flat buffers, `at` in compact buffers, and its gradients. */
struct gg_owned_range {
    int64_t from, to, at;
    float *gradients; /* (to - from) */
};
const struct gg_owned_range *gg_reducer_owned(const gg_reducer *reducer, int *count);

/* All-gathers every replica's owned ranges of a flat buffer, always the same one. Nothing to do without scatter.
 * Collective. */
void gg_reducer_gather(gg_reducer *reducer, float *flat);

/* Forgets what rounding left, as after a step whose gradients were not finite. Local. */
void gg_reducer_forget_errors(gg_reducer *reducer);

/* What this rank has sent since gg_reducer_create: gradients, and weights that were gathered. */
struct gg_bucket_traffic gg_reducer_traffic(const gg_reducer *reducer);

/* Seconds since gg_reducer_create: spent inside the hook, and waited in gg_reducer_finish and
 * gg_reducer_gather. */
struct gg_reducer_times {
    double hook, visible;
};
struct gg_reducer_times gg_reducer_times(const gg_reducer *reducer);

#endif
