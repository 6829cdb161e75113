/* The sum of the gradients over replicas, in buckets, while the backward pass still runs.
 *
 * The flat gradient buffer is cut from its end into buckets of fixed bounds. As soon as the backward pass has
 * made a whole bucket final, its nonblocking sum starts; the hook's later calls drive it on, for an MPI
 * library makes progress only inside its calls. The order of additions is the library's for the bucket's size
 * and the number of ranks: the same in every step of a layout. With one replica nothing is done at all.
 *
 * Two ways to sum. Allreduce: every replica gets every sum, with the same bits, and updates every weight.
 * Scatter (ZeRO stage 1, Rajbhandari et al. 2020, section 5.1): each replica gets a D-th of every bucket,
 * keeps the optimizer's state for it, updates it, and gg_reducer_gather() hands the new weights round. What a
 * replica updates are its owned ranges; optimizer state stands in compact buffers, range behind range.
 */
#ifndef GG_MPI_REDUCTION_H
#define GG_MPI_REDUCTION_H

#include "core/base/status.h"
#include "core/model/gpt.h"
#include "mpi/partition.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gg_reducer gg_reducer;

enum { GG_BUCKET_BYTES = 25 << 20 };

/* What a replica owns of the flat buffers, and how much of it there is. */
struct gg_ownership {
    int64_t elements;      /* of all owned ranges: length of a compact buffer */
    size_t gradient_bytes; /* that the reducer allocates for owned sums; 0 where they stay in the gradients */
};

/* Computes it without making a reducer. Local. */
struct gg_ownership gg_reducer_ownership(int replica, int replicas, int64_t elements, size_t bucket_bytes,
                                         bool scatter);

/* Makes a reducer.
 *   replicas     [in] the ranks that hold the same elements, one of each replica; kept, must outlive the
 * reducer gradients    [in] (elements) kept; must outlive the reducer bucket_bytes [in] size of a bucket,
 * GG_BUCKET_BYTES mostly; at most INT_MAX elements are taken at once scatter      [in] each replica gets its
 * part of the sums only Collective with the same sizes. GG_RESOURCE: no memory for the owned sums (on this
 * rank: agree). */
gg_status gg_reducer_create(MPI_Comm replicas, float *gradients, int64_t elements, size_t bucket_bytes,
                            bool scatter, gg_reducer **reducer) GG_MUST_USE;
void gg_reducer_destroy(gg_reducer **reducer);

/* Begins a step: no gradient is final. Local. */
void gg_reducer_begin(gg_reducer *reducer);

/* Gradients at offsets >= `from` are final: starts the buckets that became whole and drives on those under
 * way. Nonblocking; to be called on every replica with the same falling sequence of bucket bounds crossed. */
void gg_reducer_ready(gg_reducer *reducer, int64_t from);

/* gg_reducer_ready as the model's hook; valid as long as the reducer. */
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

/* Hands every replica's owned ranges of a flat buffer round to all. Nothing to do without scatter.
 * Collective. */
void gg_reducer_gather(gg_reducer *reducer, float *flat);

/* Seconds since gg_reducer_create: spent inside gg_reducer_ready, and waited in gg_reducer_finish and
 * gg_reducer_gather. */
struct gg_reducer_times {
    double hook, visible;
};
struct gg_reducer_times gg_reducer_times(const gg_reducer *reducer);

#endif
