/* The innermost product of bfloat16 matrices: 32 x 32 sums of one panel of A with one of B.
 *
 * On processors with AMX (Intel 64 and IA-32 Architectures Software Developer's Manual, TDPBF16PS) eight
 * registers hold 16 rows of 64 bytes: four of sums, two of A, two of B. The plain form computes the same on
 * any processor, for tests. All local.
 *
 * A panel is packed in steps of 32 of the summed index, of 1024 elements each:
 *   A: 2 tiles of (16 rows, 32 of k)
 *   B: 2 tiles of (16 pairs of k, 16 columns, 2)
 * and sums are 4 tiles of (16, 16): rows 0-15 with columns 0-15, with columns 16-31, then rows 16-31.
 */
#ifndef GG_CORE_KERNELS_MATMUL_TILE_PRODUCT_H
#define GG_CORE_KERNELS_MATMUL_TILE_PRODUCT_H

#include "core/kernels/storage.h"

#include <stdbool.h>

enum { GG_TILE = 16, GG_PANEL = 2 * GG_TILE, GG_STEP = 32, GG_STEP_ELEMENTS = GG_PANEL * GG_STEP };

/* sums = A B, or += A B.
 *   steps [in]     of 32 of the summed index
 *   a, b  [in]     panels, 64-byte aligned
 *   fresh [in]     = instead of +=
 *   sums  [in,out] (4, 16, 16), 64-byte aligned */
typedef void gg_tile_product(int64_t steps, const gg_bf16 *a, const gg_bf16 *b, bool fresh, float *sums);

gg_tile_product gg_tile_product_plain;

/* Only between gg_tiles_begin and gg_tiles_end on the same thread. Denormals count as zero. */
gg_tile_product gg_tile_product_amx;
void gg_tiles_begin(void);
void gg_tiles_end(void);

/* Whether this processor has AMX for bfloat16, the system grants its use, and GRIDGPT_AMX=0 in the
 * environment does not forbid it. Any thread. */
bool gg_tiles_available(void);

#endif
