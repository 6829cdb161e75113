#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_bf16.h"

#include "core/base/status.h"

#include <limits.h>

/* The Fortran interface, which every BLAS has; column-major: C = A B is asked for as C^T = B^T A^T. */
void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc);

static int narrow(int64_t value) {
    GG_ASSERT(value >= 0 && value <= INT_MAX);
    return (int)value;
}

void gg_matmul_scaled(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n,
                      int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
    const int mi = narrow(m), ni = narrow(n), ki = narrow(k);
    const int ai = narrow(lda), bi = narrow(ldb), ci = narrow(ldc);
    sgemm_(transpose_b == GG_TRANSPOSED ? "T" : "N", transpose_a == GG_TRANSPOSED ? "T" : "N", &ni, &mi, &ki,
           &alpha, b, &bi, a, &ai, &beta, c, &ci);
}

void gg_matmul_bf16_library(const struct gg_bf16_product *p) {
    (void)p;
    GG_ASSERT(gg_matmul_library_has_bf16());
}

bool gg_matmul_library_has_bf16(void) {
    return false;
}

const char *gg_matmul_library_name(void) {
    return "BLAS";
}
