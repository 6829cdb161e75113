/* How flat buffers of the parameter table are dealt out over the replicas.
 *
 * A buffer is cut from its end into buckets of fixed size (gradients become final from the end on), and every
 * bucket into D parts of whole cache lines, one for each replica. The gradient reduction with ZeRO, and the
 * writing and reading of checkpoints with or without it, use this one partition. All local.
 */
#ifndef GG_CORE_PLAN_PARTITION_H
#define GG_CORE_PLAN_PARTITION_H

#include <stddef.h>
#include <stdint.h>

struct gg_partition {
    int64_t elements;        /* of a flat buffer */
    int64_t bucket_elements; /* of each bucket but the one at the buffer's begin */
    int64_t bucket_count;    /* bucket 0 stands at the buffer's end */
    int replicas;            /* D */
};

/* Elements [from, to) of a flat buffer; in a compact buffer, which holds one replica's ranges only, they
 * begin at `at`. */
struct gg_range {
    int64_t from, to, at;
};

/* The size of a bucket in training. */
enum { GG_BUCKET_BYTES = 8 << 20 };

/* Cuts a buffer; at most INT_MAX elements make a bucket. */
struct gg_partition gg_partition_cut(int64_t elements, size_t bucket_bytes, int replicas);

/* First element of a bucket.
 *   count [out] its elements */
int64_t gg_partition_bucket(const struct gg_partition *partition, int64_t bucket, int64_t *count);

/* A replica's part of a bucket, perhaps empty; `at` is 0. */
struct gg_range gg_partition_part(const struct gg_partition *partition, int64_t bucket, int replica);

/* All parts of a replica, one per bucket, in the order of the buckets, with their places in its compact
 * buffers.
 *   ranges [out] (bucket_count), or NULL
 * Returns the length of a compact buffer. */
int64_t gg_partition_ranges(const struct gg_partition *partition, int replica, struct gg_range *ranges);

/* Elements of the largest part of any bucket, in whole cache lines. */
int64_t gg_partition_largest_part(const struct gg_partition *partition);

#endif
