/* The inner part of a product of a few rows (matmul_few.h): some columns of the result. All local, on the
 * calling thread.
 *
 * One core reads memory at its full rate in one stream alone; two streams side by side halve it. So one row
 * takes a matrix whose columns are all its own line by line, as it stands in memory; several rows, which have
 * more to compute than to read, and threads that share the columns, have what comes next brought near in that
 * order while they work on what is there.
 *
 * Order of summation of an element, all steps being fused multiply-adds from 0 on:
 *   W (in, out)   over k = 0, 1, 2, ...; matmul_few.c adds two such chains, one over each half of k
 *   W (out, in)   16 lanes, then lane l + lane l + 8, l + 4, l + 2, l + 1. In fp32 lane l takes k = l, l + 16, ...;
 *                 in bf16 k = 2 l + 1, 2 l, then these + 32, ...
 * which in bf16 is what VDPBF16PS does with two numbers side by side (Intel Architecture Instruction Set
 * Extensions Programming Reference): the odd one first. It takes denormals as zero, as the program has the
 * processor do everywhere (core/base/denormals.h).
 */
#ifndef GG_CORE_KERNELS_MATMUL_FEW_PANEL_INTERNAL_H
#define GG_CORE_KERNELS_MATMUL_FEW_PANEL_INTERNAL_H

#include "core/kernels/matmul/transpose.h"
#include "core/kernels/storage.h"

enum { GG_FEW_ROWS = 8 };

struct gg_few_panel {
    enum gg_precision stored; /* of x and W */
    enum gg_transpose transpose_w;
    int64_t rows; /* at most GG_FEW_ROWS */
    int64_t in, columns;
    const void *x; /* (rows, in), row stride x_stride */
    int64_t x_stride;
    const void *w; /* (in, columns) with row stride w_stride; transposed (columns, in), row stride `in` */
    int64_t w_stride;
    const void *next; /* the weights that come after these; NULL: those behind them in memory */
    float *sums;      /* [out] (rows, columns) with row stride sums_stride, 64-byte aligned, as rows are */
    int64_t sums_stride;
};

typedef void gg_few_panel_run(const struct gg_few_panel *panel);

gg_few_panel_run gg_few_panel_plain;

/* The same bits by VDPBF16PS; only where gg_processor_here()->avx512_bf16. */
gg_few_panel_run gg_few_panel_avx512_bf16;

#endif
