/* Local matrix multiply, row-major float32: C = op(A) op(B) or C += op(A) op(B). Local.
 *
 * On oneDNN where it was found at build time, else on plain BLAS. Called outside an OpenMP parallel region it
 * uses the rank's threads; inside one, the calling thread alone.
 */
#ifndef GG_CORE_KERNELS_MATMUL_H
#define GG_CORE_KERNELS_MATMUL_H

#include <stdbool.h>
#include <stdint.h>

enum gg_transpose { GG_PLAIN, GG_TRANSPOSED };

/* op(A) is (m, k), op(B) is (k, n), C is (m, n).
 *   a   [in]  (m, k) with row stride lda, or (k, m) when transposed
 *   b   [in]  (k, n) with row stride ldb, or (n, k) when transposed
 *   c   [in,out] (m, n) with row stride ldc; must not alias a or b */
void gg_matmul(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k,
               const float *a, int64_t lda, const float *b, int64_t ldb, bool accumulate, float *c,
               int64_t ldc);

/* The same with factors: C = alpha op(A) op(B) + beta C; C is not read when beta is 0, nor A and B when k or
 * alpha is 0. */
void gg_matmul_scaled(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n,
                      int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc);

/* Which library multiplies: "oneDNN 2.6.3", "BLAS". */
const char *gg_matmul_library(void);

#endif
