/* The two ways to multiply bfloat16 matrices, of which gg_matmul_bf16 chooses; their arguments are its own.
 */
#ifndef GG_CORE_KERNELS_MATMUL_MATMUL_BF16_H
#define GG_CORE_KERNELS_MATMUL_MATMUL_BF16_H

#include "core/kernels/matmul/tile_product.h"
#include "core/kernels/matmul/transpose.h"
#include "core/kernels/storage.h"

/* C = op(A) op(B), or +=; see gg_matmul_bf16. */
struct gg_bf16_product {
    enum gg_transpose transpose_a, transpose_b;
    int64_t m, n, k;
    const gg_bf16 *a;
    int64_t lda;
    const gg_bf16 *b;
    int64_t ldb;
    bool accumulate;
    enum gg_precision result;
    void *c;
    int64_t ldc;
};

/* Our own, packed into tiles.
 *   product [in] the innermost part: gg_tile_product_amx, or its plain twin, which is slow */
void gg_matmul_bf16_tiles(const struct gg_bf16_product *p, gg_tile_product *product);

/* The library's; an internal error where gg_matmul_library_has_bf16() is false. */
void gg_matmul_bf16_library(const struct gg_bf16_product *p);
bool gg_matmul_library_has_bf16(void);

/* "oneDNN 2.6.3", "BLAS". */
const char *gg_matmul_library_name(void);

#endif
