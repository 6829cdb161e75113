#include "core/kernels/tree_sum.h"

#include "core/kernels/storage.h"

#include <stdbool.h>
#include <string.h>

enum { BLOCK = 1024 };

/* The largest power of two below a count of at least 2: what the tree's left branch has. */
static int64_t left_branch(int64_t count) {
    int64_t left = 1;
    while (2 * left < count)
        left *= 2;
    return left;
}

static void add(const float *a, const float *b, float *sum, int64_t length) {
#pragma omp simd
    for (int64_t i = 0; i < length; i++)
        sum[i] = a[i] + b[i];
}

/* Elements [begin, begin + length) of the sum, with `length` up to a block; total is none of the shares. */
static void sum_block(const struct gg_share *shares, int64_t count, int64_t begin, int64_t length,
                      float *total) {
    if (count == 1) {
        gg_load_floats(shares->precision, gg_at(shares->precision, shares->values, begin), length, total);
        return;
    }
    float right[BLOCK];
    const int64_t left = left_branch(count);
    sum_block(shares, left, begin, length, total);
    sum_block(shares + left, count - left, begin, length, right);
    add(total, right, total, length);
}

void gg_tree_sum(const struct gg_share *shares, int count, float *sum, int64_t elements) {
    const bool pair =
        count == 2 && shares[0].precision == GG_PRECISION_FP32 && shares[1].precision == GG_PRECISION_FP32;
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < elements; begin += BLOCK) {
        const int64_t length = elements - begin < BLOCK ? elements - begin : BLOCK;
        float total[BLOCK];
        if (pair) {
            add((const float *)shares[0].values + begin, (const float *)shares[1].values + begin, sum + begin,
                length);
            continue;
        }
        sum_block(shares, count, begin, length, total);
        memcpy(sum + begin, total, (size_t)length * sizeof *total);
    }
}

double gg_tree_sum_of(const double *values, int64_t count, int64_t stride) {
    if (count <= 1)
        return count == 1 ? values[0] : 0;
    const int64_t left = left_branch(count);
    return gg_tree_sum_of(values, left, stride) +
           gg_tree_sum_of(values + left * stride, count - left, stride);
}
