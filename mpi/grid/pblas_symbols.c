/* The two symbols that PBLAS finds in our program: see pblas.h. */
#include "mpi/grid/pblas.h"

#include "core/base/memory.h"
#include "core/kernels/matmul/matmul.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Symbols of Fortran's calling convention. */
int pilaenv_(const int *context, const char *precision);
void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc);

static int logical_block = 256;
static atomic_long tiles;
static enum gg_precision tile_precision = GG_PRECISION_FP32;

void gg_pblas_set_block(int block) {
    logical_block = block;
}

void gg_pblas_set_precision(enum gg_precision precision) {
    tile_precision = precision;
}

long gg_pblas_tiles(void) {
    return atomic_load(&tiles);
}

int pilaenv_(const int *context, const char *precision) {
    (void)context, (void)precision;
    return logical_block;
}

#ifdef GG_MATMUL_IS_ONEDNN
/* A tile's two operands, rounded; as large as the largest was, for the life of the program. */
static struct {
    gg_bf16 *values;
    size_t count;
} rounded[2];

/* (rows, columns) with a row stride becomes dense. */
static const gg_bf16 *round_tile(int which, const float *values, int64_t rows, int64_t columns,
                                 int64_t stride) {
    const size_t count = (size_t)(rows * columns);
    if (count > rounded[which].count) {
        free(rounded[which].values);
        rounded[which].values = gg_malloc(count * sizeof(gg_bf16));
        rounded[which].count = count;
    }
    for (int64_t r = 0; r < rows; r++)
        gg_bf16_from_floats(values + r * stride, rounded[which].values + r * columns, columns);
    return rounded[which].values;
}

/* C = op(A) op(B) + C, or without + C, row-major. */
static void multiply_rounded(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m,
                             int64_t n, int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb,
                             bool accumulate, float *c, int64_t ldc) {
    const bool ta = transpose_a == GG_TRANSPOSED, tb = transpose_b == GG_TRANSPOSED;
    const gg_bf16 *small_a = round_tile(0, a, ta ? k : m, ta ? m : k, lda);
    const gg_bf16 *small_b = round_tile(1, b, tb ? n : k, tb ? k : n, ldb);
    gg_matmul_bf16(transpose_a, transpose_b, m, n, k, small_a, ta ? m : k, small_b, tb ? k : n, accumulate,
                   GG_PRECISION_FP32, c, ldc);
}

/* Column-major C is row-major C^T = op(B)^T op(A)^T. */
void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc) {
    if (*m == 0 || *n == 0)
        return;
    atomic_fetch_add_explicit(&tiles, 1, memory_order_relaxed);
    const enum gg_transpose first = *transb == 'N' || *transb == 'n' ? GG_PLAIN : GG_TRANSPOSED;
    const enum gg_transpose second = *transa == 'N' || *transa == 'n' ? GG_PLAIN : GG_TRANSPOSED;
    if (tile_precision == GG_PRECISION_BF16 && *k > 0 && *alpha == 1 && (*beta == 0 || *beta == 1))
        multiply_rounded(first, second, *n, *m, *k, b, *ldb, a, *lda, *beta == 1, c, *ldc);
    else
        gg_matmul_scaled(first, second, *n, *m, *k, *alpha, b, *ldb, a, *lda, *beta, c, *ldc);
}
#endif
