/* Packs operands of a bfloat16 product into the panels that tile_product.h multiplies. All local.
 *
 * An operand is a set of vectors (rows of A, columns of B) over the summed index k. In memory either a vector
 * stands in one piece (plain A, transposed B) or the vectors' elements of one k do (transposed A, plain B).
 */
#ifndef GG_CORE_KERNELS_MATMUL_TILE_PACK_INTERNAL_H
#define GG_CORE_KERNELS_MATMUL_TILE_PACK_INTERNAL_H

#include "core/kernels/storage.h"

#include <stdbool.h>

enum gg_tile_layout {
    GG_TILE_ROWS,  /* (16 vectors, 32 of k): A */
    GG_TILE_PAIRS, /* (16 pairs of k, 16 vectors, 2): B */
};

/* One step of a panel: 32 vectors, 32 of k; what is missing of them is zero.
 *   values   [in]  element (vector, k) at vector * stride + k, or at k * stride + vector
 *   whole    [in]  which: vectors stand in one piece
 *   vectors  [in]  from 1; more than 32 count as 32
 *   count    [in]  of k, from 1; more than 32 count as 32
 *   packed   [out] (1024), 64-byte aligned */
void gg_tile_pack(enum gg_tile_layout layout, const gg_bf16 *values, int64_t stride, bool whole,
                  int64_t vectors, int64_t count, gg_bf16 *packed);

#endif
