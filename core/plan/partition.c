#include "core/plan/partition.h"

#include <limits.h>
#include <stddef.h>

enum { LINE = 16 }; /* floats */

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

/* Elements of replica 0's part of a whole bucket, in whole cache lines: none is larger. */
int64_t gg_partition_largest_part(const struct gg_partition *partition) {
    if (partition->bucket_count == 0)
        return 0;
    const struct gg_range part = gg_partition_part(partition, 0, 0);
    return (part.to - part.from + LINE - 1) / LINE * LINE;
}
