/* The two symbols that PBLAS finds in our program: see pblas.h. */
#include "mpi/pblas.h"

#include "core/kernels/matmul.h"

#include <stdatomic.h>

/* Symbols of Fortran's calling convention. */
int pilaenv_(const int *context, const char *precision);
void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc);

static int logical_block = 256;
static atomic_long tiles;

void gg_pblas_set_block(int block) {
    logical_block = block;
}

long gg_pblas_tiles(void) {
    return atomic_load(&tiles);
}

int pilaenv_(const int *context, const char *precision) {
    (void)context, (void)precision;
    return logical_block;
}

#ifdef GG_MATMUL_IS_ONEDNN
/* Column-major C is row-major C^T = op(B)^T op(A)^T. */
void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc) {
    if (*m == 0 || *n == 0)
        return;
    atomic_fetch_add_explicit(&tiles, 1, memory_order_relaxed);
    const enum gg_transpose first = *transb == 'N' || *transb == 'n' ? GG_PLAIN : GG_TRANSPOSED;
    const enum gg_transpose second = *transa == 'N' || *transa == 'n' ? GG_PLAIN : GG_TRANSPOSED;
    gg_matmul_scaled(first, second, *n, *m, *k, *alpha, b, *ldb, a, *lda, *beta, c, *ldc);
}
#endif
