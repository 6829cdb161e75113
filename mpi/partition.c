#include "mpi/partition.h"

#include "core/base/memory.h"
#include "mpi/world.h"

#include <limits.h>
#include <stdlib.h>

struct gg_partition gg_partition_cut(int64_t elements, size_t bucket_bytes, int replicas) {
    int64_t size = (int64_t)(bucket_bytes / sizeof(float));
    size = size < 1 ? 1 : size > INT_MAX ? INT_MAX : size;
    return (struct gg_partition){elements, size, (elements + size - 1) / size, replicas};
}

int64_t gg_partition_bucket(const struct gg_partition *p, int64_t bucket, int64_t *count) {
    const int64_t end = p->elements - bucket * p->bucket_elements;
    const int64_t begin = end > p->bucket_elements ? end - p->bucket_elements : 0;
    *count = end - begin;
    return begin;
}

struct gg_range gg_partition_part(const struct gg_partition *p, int64_t bucket, int replica) {
    enum { LINE = 16 }; /* floats */
    int64_t count;
    const int64_t first = gg_partition_bucket(p, bucket, &count);
    const int64_t part = ((count + p->replicas - 1) / p->replicas + LINE - 1) / LINE * LINE;
    const int64_t begin = part * replica < count ? part * replica : count;
    const int64_t end = begin + part < count ? begin + part : count;
    return (struct gg_range){first + begin, first + end, 0};
}

int64_t gg_partition_ranges(const struct gg_partition *p, int replica, struct gg_range *ranges) {
    int64_t at = 0;
    for (int64_t bucket = 0; bucket < p->bucket_count; bucket++) {
        struct gg_range range = gg_partition_part(p, bucket, replica);
        range.at = at;
        at += range.to - range.from;
        if (ranges != NULL)
            ranges[bucket] = range;
    }
    return at;
}

void gg_partition_gather(const struct gg_partition *p, MPI_Comm replicas, float *flat) {
    if (p->replicas == 1)
        return;
    int *counts = gg_malloc(2 * (size_t)p->replicas * sizeof *counts), *starts = counts + p->replicas;
    for (int64_t bucket = 0; bucket < p->bucket_count; bucket++) {
        int64_t count;
        const int64_t first = gg_partition_bucket(p, bucket, &count);
        for (int d = 0; d < p->replicas; d++) {
            const struct gg_range part = gg_partition_part(p, bucket, d);
            counts[d] = gg_int(part.to - part.from);
            starts[d] = gg_int(part.from - first);
        }
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, flat + first, counts, starts, MPI_FLOAT, replicas);
    }
    free(counts);
}
