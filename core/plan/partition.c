#include "core/plan/partition.h"

#include <limits.h>
#include <stddef.h>

enum { LINE = 16 }; /* floats */

struct gg_partition gg_partition_cut(int64_t elements, size_t bucket_bytes,
                                     const struct gg_summation *summation) {
    int64_t size = (int64_t)(bucket_bytes / sizeof(float));
    size = size < 1 ? 1 : size > INT_MAX ? INT_MAX : size;
    return (struct gg_partition){elements, size, (elements + size - 1) / size, *summation};
}

int64_t gg_partition_bucket(const struct gg_partition *p, int64_t bucket, int64_t *count) {
    const int64_t end = p->elements - bucket * p->bucket_elements;
    const int64_t begin = end > p->bucket_elements ? end - p->bucket_elements : 0;
    *count = end - begin;
    return begin;
}

static int64_t at_most(int64_t value, int64_t most) {
    return value < most ? value : most;
}

struct gg_range gg_partition_leaves(const struct gg_partition *p, int64_t bucket, int first, int count) {
    int64_t elements;
    const int64_t begin = gg_partition_bucket(p, bucket, &elements);
    const int64_t leaves = p->summation.leaves;
    const int64_t leaf = ((elements + leaves - 1) / leaves + LINE - 1) / LINE * LINE;
    return (struct gg_range){begin + at_most(leaf * first, elements),
                             begin + at_most(leaf * (first + count), elements), 0};
}

struct gg_range gg_partition_positions(const struct gg_partition *p, int64_t bucket, int first, int count) {
    const int leaves = gg_summation_played(&p->summation);
    return gg_partition_leaves(p, bucket, first * leaves, count * leaves);
}

struct gg_range gg_partition_part(const struct gg_partition *p, int64_t bucket, int replica) {
    return gg_partition_positions(p, bucket, gg_summation_position(&p->summation, replica), 1);
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

/* The first positions of a whole bucket: none have more. */
int64_t gg_partition_most(const struct gg_partition *partition, int positions) {
    if (partition->bucket_count == 0)
        return 0;
    const struct gg_range range = gg_partition_positions(partition, 0, 0, positions);
    return (range.to - range.from + LINE - 1) / LINE * LINE;
}
