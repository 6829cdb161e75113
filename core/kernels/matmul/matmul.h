/* Local matrix multiply, row-major: C = op(A) op(B) or C += op(A) op(B). Local.
 *
 * On oneDNN where it was found at build time, else on plain BLAS; bfloat16 on our own kernel for AMX where
 * the processor has it (matmul_tiles.c). Called outside an OpenMP parallel region it uses the rank's threads;
 * inside one, the calling thread alone.
 */
#ifndef GG_CORE_KERNELS_MATMUL_MATMUL_H
#define GG_CORE_KERNELS_MATMUL_MATMUL_H

#include "core/kernels/matmul/transpose.h"
#include "core/kernels/storage.h"

#include <stdbool.h>

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

/* C = op(A) op(B), or +=, of bfloat16 operands, summed in float32; C is of the precision `result`. As
 * gg_matmul otherwise. Our own code where the processor has AMX, else the library's. Each thread keeps a
 * scratch as large as its largest product wanted, and of the library what is ready for a shape, a few kB. An
 * internal error where gg_matmul_has_bf16() is false. */
void gg_matmul_bf16(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n,
                    int64_t k, const gg_bf16 *a, int64_t lda, const gg_bf16 *b, int64_t ldb, bool accumulate,
                    enum gg_precision result, void *c, int64_t ldc);

/* gg_matmul or gg_matmul_bf16, by the operands' precision; fp32 operands have an fp32 result. */
void gg_matmul_stored(enum gg_precision operands, enum gg_transpose transpose_a,
                      enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                      int64_t lda, const void *b, int64_t ldb, bool accumulate, enum gg_precision result,
                      void *c, int64_t ldc);

/* Whether this processor multiplies bfloat16 faster than float32: AMX, or AVX512_BF16 by the library. */
bool gg_matmul_has_bf16(void);

/* Why it does not, for a message (gg_processor_lack): of this thread until it asks again. */
const char *gg_matmul_bf16_lack(void);

/* What multiplies operands of a precision: "oneDNN 2.6.3", "BLAS", "gridgpt's AMX tiles". */
const char *gg_matmul_maker(enum gg_precision operands);

#endif
