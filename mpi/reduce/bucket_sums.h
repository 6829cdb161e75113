/* The sums of buckets over replicas, by messages in the rounds of a summation (core/plan/summation.h).
 *
 * A bucket is summed by a reduce-scatter, in whose rounds a replica sends each other of its group that one's part of
 * what they hold and adds up its own, and an all-gather, in which the sums go back the same way, the last round
 * first. That moves 2 (D-1)/D of a bucket per replica, the least possible (Thakur, Rabenseifner and Gropp 2005,
 * section 4), by nonblocking messages. (Open MPI's MPI_Iallreduce in place is a binomial tree of whole buckets,
 * whatever their size.)
 *
 * Each sum is made in one place, in the tree's order, whichever share arrives first: the bits are the same on every
 * replica, in every step, by any rounds, with or without the all-gather.
 *
 * On the wire values are fp32, or bf16: then a replica rounds what it sends, with the error fed back into what it
 * sends next time (core/kernels/error_feedback.h). A replica sends each element once in a reduce-scatter, but for
 * those of its own part, whose sums are rounded where they are made: one error for each element is kept.
 */
#ifndef GG_MPI_REDUCE_BUCKET_SUMS_H
#define GG_MPI_REDUCE_BUCKET_SUMS_H

#include "core/base/precision.h"
#include "core/base/status.h"
#include "core/plan/partition.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gg_bucket_sums gg_bucket_sums;

enum gg_bucket_work {
    GG_BUCKET_ALLREDUCE,      /* every replica gets every sum, in `values` */
    GG_BUCKET_REDUCE_SCATTER, /* each gets the sums of its parts, in `owned` */
    GG_BUCKET_ALLGATHER       /* nothing is summed: each replica's parts of `values` go to all */
};

struct gg_bucket_sums_options {
    enum gg_bucket_work work;
    float
        *values; /* (elements) the flat buffer whose buckets are summed; kept. A reduce-scatter leaves partial
                    * sums in it */
    float *owned; /* reduce-scatter: this replica's compact buffer; kept */
    enum gg_precision wire;
    float *errors; /* (elements) with a bf16 wire that sums; zero at first; kept */
};

/* Makes one.
 *   replicas  [in] one rank of each, in order; duplicated
 *   partition [in] kept; must outlive the sums
 * Collective over `replicas`. GG_RESOURCE: no memory (on this rank: agree); not of an all-gather in fp32, which
 * needs none. */
gg_status gg_bucket_sums_create(MPI_Comm replicas, const struct gg_partition *partition,
                                const struct gg_bucket_sums_options *options,
                                gg_bucket_sums **sums) GG_MUST_USE;

/* Makes an all-gather of `values` in fp32, which needs no memory. Collective over `replicas`. */
gg_bucket_sums *gg_bucket_gather_create(MPI_Comm replicas, const struct gg_partition *partition,
                                        float *values);

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

/* Begins anew with all buckets, and drives until they are done. Collective. */
void gg_bucket_sums_run(gg_bucket_sums *sums);

/* What this rank has sent since the sums were made. Local, while nothing is under way. */
struct gg_bucket_traffic {
    int64_t messages, bytes;
};
struct gg_bucket_traffic gg_bucket_sums_traffic(const gg_bucket_sums *sums);

#endif
