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

static bool transposed(const struct product *p) {
    return p->transpose_w == GG_TRANSPOSED;
}

/* Rows of W (in, out) that stand before its second half. An element is the sum of two chains, one over each half, so
 * that two threads can read a whole half each, in one stream. */
static int64_t middle_of(const struct product *p) {
    enum { STEP = 16 };
    return transposed(p) ? p->in : p->in / 2 / STEP * STEP;
}

/* Columns [from, from + count) over k in [k, to). */
static void run(const struct product *p, int64_t k, int64_t to, int64_t from, int64_t count, bool last,
                float *sums, int64_t sums_stride) {
    const bool pairs = p->operands == GG_PRECISION_BF16 && gg_processor_here()->avx512_bf16;
    const int64_t at = transposed(p) ? from * p->in : k * p->out + from;
    const struct gg_few_panel panel = {.stored = p->operands,
                                       .transpose_w = p->transpose_w,
                                       .rows = p->rows,
                                       .in = to - k,
                                       .columns = count,
                                       .x = gg_at(p->operands, p->x, k),
                                       .x_stride = p->in,
                                       .w = gg_at(p->operands, p->w, at),
                                       .w_stride = p->out,
                                       .next = last ? NULL : gg_at(p->operands, p->w, from + count),
                                       .sums = sums,
                                       .sums_stride = sums_stride};
    (pairs ? gg_few_panel_avx512_bf16 : gg_few_panel_plain)(&panel);
}

/* Columns [from, to), by one thread. */
static void multiply_columns(const struct product *p, int64_t from, int64_t to) {
    _Alignas(64) float sums[SUMS], more[SUMS];
    const int64_t most = (SUMS / p->rows - APART) / SHARE * SHARE, stride = most + APART,
                  middle = middle_of(p);
    for (int64_t c = from; c < to; c += most) {
        const int64_t count = c + most < to ? most : to - c;
        run(p, 0, middle, c, count, true, sums, stride);
        if (middle < p->in)
            run(p, middle, p->in, c, count, c + count == to, more, stride);
        for (int64_t r = 0; r < p->rows; r++) {
            float *row = sums + r * stride;
            for (int64_t i = 0; i < count && middle < p->in; i++)
                row[i] += more[r * stride + i];
            gg_store_floats(p->result, gg_at(p->result, p->y, r * p->out + c), count, row);
        }
    }
}

/* One row by two threads, of which each takes half of the rows of W, as they stand in memory. */
static void multiply_halves(const struct product *p) {
    _Alignas(64) float sums[2][SUMS];
    const int64_t middle = middle_of(p);
    for (int64_t c = 0; c < p->out; c += SUMS) {
        const int64_t count = c + SUMS < p->out ? SUMS : p->out - c;
#pragma omp parallel for num_threads(2) schedule(static)
        for (int half = 0; half < 2; half++)
            run(p, half == 0 ? 0 : middle, half == 0 ? middle : p->in, c, count, true, sums[half], SUMS);
        for (int64_t i = 0; i < count; i++)
            sums[0][i] += sums[1][i];
        gg_store_floats(p->result, gg_at(p->result, p->y, c), count, sums[0]);
    }
}

/* At most GG_FEW_ROWS rows. Threads share the columns, in whole lines; but two that have one row share the rows of W. */
static void multiply(const struct product *p) {
    const int64_t shares = (p->out + SHARE - 1) / SHARE;
    const bool enough = p->in * p->out >= ENOUGH;
    if (enough && p->rows == 1 && !transposed(p) && omp_get_max_threads() == 2 && !omp_in_parallel()) {
        multiply_halves(p);
        return;
    }
#pragma omp parallel if (enough)
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
