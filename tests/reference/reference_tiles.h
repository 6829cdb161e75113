/* Panels of packed operands and tiles of sums, by the definition in tile_product.h (Intel 64 and IA-32
 * Architectures Software Developer's Manual, TDPBF16PS).
 */
#ifndef GG_TESTS_REFERENCE_TILES_H
#define GG_TESTS_REFERENCE_TILES_H

#include "core/kernels/matmul/tile_pack_internal.h"

/* Where element (vector, k) of a packed step stands: 32 vectors, 32 of k. */
int64_t reference_tile_packed(enum gg_tile_layout layout, int64_t vector, int64_t k);

/* Where the sum of (row, column) stands in 4 tiles of (16, 16). */
int64_t reference_tile_sum(int64_t row, int64_t column);

/* sums += A B of packed panels; sums and sizes (the terms' magnitudes) [in,out] (4, 16, 16). */
void reference_tile_product(int64_t steps, const gg_bf16 *a, const gg_bf16 *b, double *sums, double *sizes);

#endif
