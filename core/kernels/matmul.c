/* What is the same whichever library multiplies. */
#include "core/kernels/matmul.h"

void gg_matmul(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k,
               const float *a, int64_t lda, const float *b, int64_t ldb, bool accumulate, float *c,
               int64_t ldc) {
    gg_matmul_scaled(transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, accumulate ? 1 : 0, c, ldc);
}
