/* The sums of buckets over replicas, by messages straight from each replica to each other.
 *
 * A bucket is summed in two exchanges between all pairs of replicas: first everyone sends every other its
 * part of the bucket and adds up its own (reduce-scatter), then everyone sends every other its sums
 * (all-gather). That moves 2 (D-1)/D of a bucket per replica, the least possible (Thakur, Rabenseifner and
 * Gropp 2005, section 4), in two rounds: an MPI library that works only inside its calls need not be called
 * often. (Open MPI's MPI_Iallreduce in place is a binomial tree of whole buckets, whatever their size.)
 *
 * Parts are added up in the order of the replicas, whichever arrives first, and each sum is made in one
 * place: the bits are the same on every replica, in every step, with or without the all-gather.
 */
#ifndef GG_MPI_REDUCE_BUCKET_SUMS_H
#define GG_MPI_REDUCE_BUCKET_SUMS_H

#include "core/base/status.h"
#include "core/plan/partition.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gg_bucket_sums gg_bucket_sums;

/* Makes one.
 *   replicas  [in] one rank of each, in order; duplicated
 *   partition [in] kept; must outlive the sums
 *   values    [in] (elements) the flat buffer whose buckets are summed; kept
 *   owned     [in] NULL: every replica gets every sum, in `values`. Else this replica's compact buffer, which
 *                  gets the sums of its parts, and there is no all-gather
 * Collective over `replicas`. GG_RESOURCE: no memory (on this rank: agree). */
gg_status gg_bucket_sums_create(MPI_Comm replicas, const struct gg_partition *partition, float *values,
                                float *owned, gg_bucket_sums **sums) GG_MUST_USE;

/* Collective. */
void gg_bucket_sums_destroy(gg_bucket_sums **sums);

/* Begins anew: no bucket may be summed yet. All that were allowed must be done. Local. */
void gg_bucket_sums_reset(gg_bucket_sums *sums);

/* Buckets below `count` hold their final values and may be summed: nothing else may touch them until they are
 * done. May be called while another thread drives. Local. */
void gg_bucket_sums_allow(gg_bucket_sums *sums, int64_t count);

/* Does what can be done now, without waiting: sends, receives, adds up. Returns whether anything was. Only
 * one thread may drive at a time. Every replica must drive until its buckets are done. */
bool gg_bucket_sums_drive(gg_bucket_sums *sums);

/* Whether all that was allowed is done. */
bool gg_bucket_sums_done(const gg_bucket_sums *sums);

#endif
