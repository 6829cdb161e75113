/* How flat buffers of the parameter table are dealt out over the replicas.
 *
 * A buffer is cut from its end into buckets of fixed size (gradients become final from the end on), and every
 * bucket into D parts of whole cache lines, one for each replica. The gradient reduction with ZeRO, and the
 * writing and reading of checkpoints with or without it, use this one partition. All local but the gather.
 */
#ifndef GG_MPI_PARTITION_H
#define GG_MPI_PARTITION_H

#include <mpi.h>
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

/* Hands every replica's parts of a flat buffer round to all.
 *   replicas [in] one rank of each, in order
 * Collective over `replicas`. */
void gg_partition_gather(const struct gg_partition *partition, MPI_Comm replicas, float *flat);

#endif
