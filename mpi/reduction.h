/* The sum of the gradients over replicas, in buckets, while the backward pass still runs.
 *
 * The flat gradient buffer is cut from its end into buckets of fixed bounds. As soon as the backward pass has
 * made a whole bucket final, its nonblocking allreduce starts, in place; the hook's later calls drive it on,
 * for an MPI library makes progress only inside its calls. The order of additions is the library's for the
 * bucket's size and the number of ranks: the same in every step of a layout, and the result has the same bits
 * on every replica. With one replica nothing is done at all.
 */
#ifndef GG_MPI_REDUCTION_H
#define GG_MPI_REDUCTION_H

#include "core/base/status.h"
#include "core/model/gpt.h"

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gg_reducer gg_reducer;

enum { GG_BUCKET_BYTES = 25 << 20 };

/* Makes a reducer.
 *   replicas     [in] the ranks that hold the same elements, one of each replica; kept, must outlive the
 * reducer gradients    [in] (elements) kept; must outlive the reducer bucket_bytes [in] size of a bucket,
 * GG_BUCKET_BYTES mostly; at most INT_MAX elements are taken at once Collective with the same sizes. */
gg_reducer *gg_reducer_create(MPI_Comm replicas, float *gradients, int64_t elements, size_t bucket_bytes);
void gg_reducer_destroy(gg_reducer **reducer);

/* Begins a step: no gradient is final. Local. */
void gg_reducer_begin(gg_reducer *reducer);

/* Gradients at offsets >= `from` are final: starts the buckets that became whole and drives on those under
 * way. Nonblocking; to be called on every replica with the same falling sequence of bucket bounds crossed. */
void gg_reducer_ready(gg_reducer *reducer, int64_t from);

/* gg_reducer_ready as the model's hook; valid as long as the reducer. */
struct gg_gradient_hook gg_reducer_hook(gg_reducer *reducer);

/* Declares every gradient final and waits for all buckets; afterwards the buffer holds the sums. Collective.
 */
void gg_reducer_finish(gg_reducer *reducer);

/* Seconds since gg_reducer_create: spent inside gg_reducer_ready, and waited in gg_reducer_finish. */
struct gg_reducer_times {
    double hook, visible;
};
struct gg_reducer_times gg_reducer_times(const gg_reducer *reducer);

#endif
