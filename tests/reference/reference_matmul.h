/* Matrix product, plain, from its definition:
 *   C[i, j] = alpha (sum over l of op(A)[i, l] op(B)[l, j]) + beta C[i, j]
 */
#ifndef GG_TESTS_REFERENCE_MATMUL_H
#define GG_TESTS_REFERENCE_MATMUL_H

#include "core/kernels/storage.h"

#include <stdbool.h>

/* A or B, as in matmul.h: in memory it has a row stride, and is op() of itself or is transposed. */
struct reference_operand {
    const void *values;
    enum gg_precision stored;
    int64_t stride;
    bool transposed;
};

/* Sum over l < k of op(A)[i, l] op(B)[l, j].
 *   size [out] sum of the terms' magnitudes, which rounding errors are in proportion to */
double reference_matmul_element(const struct reference_operand *a, const struct reference_operand *b,
                                int64_t i, int64_t j, int64_t k, double *size);

/* C = alpha op(A) op(B) + beta C; C is not read when beta is 0. What lies between rows stays.
 *   c     [in,out] (m, n), row stride `stride`
 *   sizes [in,out] the magnitudes that go into C: before, those of C itself */
void reference_matmul(const struct reference_operand *a, const struct reference_operand *b, int64_t m,
                      int64_t n, int64_t k, double alpha, double beta, double *c, double *sizes,
                      int64_t stride);

#endif
