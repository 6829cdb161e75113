#include "core/kernels/matmul/matmul_few.h"

#include "core/kernels/matmul/few_panel_internal.h"
#include "core/kernels/processor.h"

#include <omp.h>
#include <stdbool.h>

/* Sums that a thread has at once: they stay in the first-level cache, or near it. Rows of them are not a
 * multiple of 4 kB apart, so that they do not take each other's places there. */
enum { SUMS = 8192 + 256, APART = 16, SHARE = 64 };

/* From so many weights on threads share the work. */
enum { ENOUGH = 1 << 15 };

struct product {
    enum gg_precision operands, result;
    enum gg_transpose transpose_w;
    int64_t rows, out, in;
    const void *x, *w;
    void *y;
};

static const void *weights_of(const struct product *p, int64_t column) {
    return gg_at(p->operands, p->w, p->transpose_w == GG_TRANSPOSED ? column * p->in : column);
}

/* Columns [from, to). */
static void multiply_columns(const struct product *p, int64_t from, int64_t to) {
    _Alignas(64) float sums[SUMS];
    const bool pairs = p->operands == GG_PRECISION_BF16 && gg_processor_here()->avx512_bf16;
    const int64_t most = (SUMS / p->rows - APART) / SHARE * SHARE;
    for (int64_t c = from; c < to; c += most) {
        const int64_t count = c + most < to ? most : to - c;
        const struct gg_few_panel panel = {.stored = p->operands,
                                           .transpose_w = p->transpose_w,
                                           .rows = p->rows,
                                           .in = p->in,
                                           .columns = count,
                                           .x = p->x,
                                           .w = weights_of(p, c),
                                           .w_stride = p->out,
                                           .next = c + count < to ? weights_of(p, c + count) : NULL,
                                           .sums = sums,
                                           .sums_stride = most + APART};
        (pairs ? gg_few_panel_avx512_bf16 : gg_few_panel_plain)(&panel);
        for (int64_t r = 0; r < p->rows; r++)
            gg_store_floats(p->result, gg_at(p->result, p->y, r * p->out + c), count,
                            sums + r * panel.sums_stride);
    }
}

/* At most GG_FEW_ROWS rows. Threads share the columns, in whole lines. */
static void multiply(const struct product *p) {
    const int64_t shares = (p->out + SHARE - 1) / SHARE;
#pragma omp parallel if (p->in * p->out >= ENOUGH)
    {
        const int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
        const int64_t from = shares * thread / threads * SHARE, to = shares * (thread + 1) / threads * SHARE;
        multiply_columns(p, from, to < p->out ? to : p->out);
    }
}

void gg_matmul_few(enum gg_precision operands, enum gg_transpose transpose_w, int64_t rows, int64_t out,
                   int64_t in, const void *x, const void *w, enum gg_precision result, void *y) {
    for (int64_t start = 0; start < rows; start += GG_FEW_ROWS)
        multiply(&(struct product){.operands = operands,
                                   .result = result,
                                   .transpose_w = transpose_w,
                                   .rows = rows - start < GG_FEW_ROWS ? rows - start : GG_FEW_ROWS,
                                   .out = out,
                                   .in = in,
                                   .x = gg_at(operands, x, start * in),
                                   .w = w,
                                   .y = gg_at(result, y, start * out)});
}
