/* What is the same whichever library multiplies. */
#include "core/kernels/matmul.h"

void gg_matmul(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k,
               const float *a, int64_t lda, const float *b, int64_t ldb, bool accumulate, float *c,
               int64_t ldc) {
    gg_matmul_scaled(transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, accumulate ? 1 : 0, c, ldc);
}

void gg_matmul_stored(enum gg_precision operands, enum gg_transpose transpose_a,
                      enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                      int64_t lda, const void *b, int64_t ldb, bool accumulate, enum gg_precision result,
                      void *c, int64_t ldc) {
    if (operands == GG_PRECISION_BF16)
        gg_matmul_bf16(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, result, c, ldc);
    else
        gg_matmul(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, c, ldc);
}
