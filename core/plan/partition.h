/* How flat buffers of the parameter table are dealt out over the replicas.
 *
 * A buffer is cut from its end into buckets of fixed size (gradients become final from the end on), and every
 * bucket into V leaves of whole cache lines, where V is the number of virtual replicas (core/plan/summation.h):
 * the cuts are the same for every D that divides V. A position, of D, is V / D leaves; each replica has one. The
 * gradient reduction with ZeRO, and the writing and reading of checkpoints with or without it, use this one
 * partition. All local.
 */
#ifndef GG_CORE_PLAN_PARTITION_H
#define GG_CORE_PLAN_PARTITION_H

#include "core/plan/summation.h"

#include <stddef.h>
#include <stdint.h>

struct gg_partition {
    int64_t elements;        /* of a flat buffer */
    int64_t bucket_elements; /* of each bucket but the one at the buffer's begin */
    int64_t bucket_count;    /* bucket 0 stands at the buffer's end */
    struct gg_summation summation;
};

/* Elements [from, to) of a flat buffer; in a compact buffer, which holds one replica's ranges only, they
 * begin at `at`. */
struct gg_range {
    int64_t from, to, at;
};

/* The size of a bucket in training. */
enum { GG_BUCKET_BYTES = 8 << 20 };

/* Cuts a buffer; at most INT_MAX elements make a bucket. */
struct gg_partition gg_partition_cut(int64_t elements, size_t bucket_bytes,
                                     const struct gg_summation *summation);

/* First element of a bucket.
 *   count [out] its elements */
int64_t gg_partition_bucket(const struct gg_partition *partition, int64_t bucket, int64_t *count);

/* Leaves [first, first + count) of a bucket, perhaps empty; `at` is 0. */
struct gg_range gg_partition_leaves(const struct gg_partition *partition, int64_t bucket, int first,
                                    int count);

/* Positions [first, first + count) of a bucket, likewise. */
struct gg_range gg_partition_positions(const struct gg_partition *partition, int64_t bucket, int first,
                                       int count);

/* A replica's part of a bucket: that of its position. */
struct gg_range gg_partition_part(const struct gg_partition *partition, int64_t bucket, int replica);

/* All parts of a replica, one per bucket, in the order of the buckets, with their places in its compact
 * buffers.
 *   ranges [out] (bucket_count), or NULL
 * Returns the length of a compact buffer. */
int64_t gg_partition_ranges(const struct gg_partition *partition, int replica, struct gg_range *ranges);

/* The most elements that so many positions of any bucket have, in whole cache lines. */
int64_t gg_partition_most(const struct gg_partition *partition, int positions);

#endif
