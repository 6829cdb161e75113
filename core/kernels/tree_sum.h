/* Sums in a fixed binary tree: neighbours are added, then pairs of pairs; an odd one at the end of a level waits for
 * the next. Any power of two of addends may be summed beforehand, by whomever, without a bit of the result changing.
 */
#ifndef GG_CORE_KERNELS_TREE_SUM_H
#define GG_CORE_KERNELS_TREE_SUM_H

#include "core/base/precision.h"

#include <stdint.h>

/* An addend: (elements), stored in its precision. */
struct gg_share {
    const void *values;
    enum gg_precision precision;
};

/* sum[i] = the tree's sum of element i of all shares, in fp32. The same for any number of threads.
 *   shares [in] (count); `sum` may be one of them, and else overlaps none */
void gg_tree_sum(const struct gg_share *shares, int count, float *sum, int64_t elements);

/* The tree's sum of so many numbers, `stride` apart. 0 of none. */
double gg_tree_sum_of(const double *values, int64_t count, int64_t stride);

#endif
