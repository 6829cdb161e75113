/* Products of a few rows with a whole matrix of weights, as writing text takes one for each token: all time
 * goes into reading the weights once from memory. Local; uses the rank's threads.
 *
 * An element of the result does not depend on the other rows, on how many there are, or on the number of
 * threads, to the last bit: it is chains of fused multiply-adds in an order that is fixed
 * (few_panel_internal.h), where a library's product of a row depends on the shape it is part of.
 */
#ifndef GG_CORE_KERNELS_MATMUL_MATMUL_FEW_H
#define GG_CORE_KERNELS_MATMUL_MATMUL_FEW_H

#include "core/kernels/matmul/transpose.h"
#include "core/kernels/storage.h"

/* y = x W, or x W^T.
 *   operands    [in]  precision of x and W; products are summed in float32
 *   transpose_w [in]  how W stands in memory
 *   rows        [in]  of x and y; from 9 on weights are read once for every 8 of them
 *   x           [in]  (rows, in)
 *   w           [in]  (in, out), or (out, in) when transposed
 *   result      [in]  precision of y
 *   y           [out] (rows, out); must not alias x or w */
void gg_matmul_few(enum gg_precision operands, enum gg_transpose transpose_w, int64_t rows, int64_t out,
                   int64_t in, const void *x, const void *w, enum gg_precision result, void *y);

#endif
