/* The code of few_panel_internal.h, which is compiled once for each way to multiply pairs of bfloat16: the
 * file that includes it may define, before,
 *   GG_FEW_TARGET               an attribute of all functions
 *   GG_FEW_PAIRS(sum, w, x)     sum + w.odd * x.odd + w.even * x.even, in this order, in 16 lanes
 */
#ifndef GG_CORE_KERNELS_MATMUL_FEW_PANEL_BODY_INTERNAL_H
#define GG_CORE_KERNELS_MATMUL_FEW_PANEL_BODY_INTERNAL_H

#include "core/kernels/matmul/few_panel_internal.h"

/* Sixteen floats, or sixteen pairs of bfloat16, the even one being the lower half. */
typedef uint32_t gg_few_lanes __attribute__((vector_size(64)));
typedef uint16_t gg_few_halves __attribute__((vector_size(64)));

#ifndef GG_FEW_TARGET
#define GG_FEW_TARGET
#define GG_FEW_PAIRS(sum, w, x) gg_few_pairs_plain(sum, w, x)
static inline gg_floats16 gg_few_pairs_plain(gg_floats16 sum, gg_few_lanes w, gg_few_lanes x) {
    const gg_few_lanes odd = (gg_few_lanes){0} + 0xffff0000u;
    sum += (gg_floats16)(w & odd) * (gg_floats16)(x & odd);
    sum += (gg_floats16)(w << 16) * (gg_floats16)(x << 16);
    return sum;
}
#endif

#define GG_FEW_BODY GG_KERNEL_BODY GG_FEW_TARGET
#if defined(__clang__)
#define GG_FEW_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GG_FEW_UNROLL _Pragma("GCC unroll 16")
#endif

/* Rows of W (in, out) that several rows of x take at once; columns taken at once; floats of a vector. */
enum { FEW_DEPTH = 16, FEW_COLUMNS = 32, FEW_LANES = 16, FEW_LINE = 64 };

/* Keeps the compiler from reading two rows side by side. */
#define FEW_ONE_BY_ONE() __asm__ volatile("" ::: "memory")

/* Elements in 16 lanes. */
GG_FEW_BODY int64_t few_step(enum gg_precision stored) {
    return stored == GG_PRECISION_BF16 ? 2 * FEW_LANES : FEW_LANES;
}

GG_FEW_BODY gg_few_lanes few_load(const void *values) {
    gg_few_lanes loaded;
    memcpy(&loaded, values, sizeof loaded);
    return loaded;
}

/* (count) elements, and zeros behind them. */
GG_FEW_BODY gg_few_lanes few_load_some(enum gg_precision stored, const void *values, int64_t count) {
    gg_few_lanes loaded = {0};
    memcpy(&loaded, values, (size_t)count * gg_stored_bytes(stored));
    return loaded;
}

GG_FEW_BODY gg_floats16 few_add(enum gg_precision stored, gg_floats16 sum, gg_few_lanes w, gg_few_lanes x) {
    return stored == GG_PRECISION_BF16 ? GG_FEW_PAIRS(sum, w, x) : sum + (gg_floats16)w * (gg_floats16)x;
}

GG_FEW_BODY gg_floats16 few_sums(const float *sums) {
    gg_floats16 loaded;
    memcpy(&loaded, sums, sizeof loaded);
    return loaded;
}

/* ---- W (in, out) ---- */

/* Sixteen weights as floats. */
GG_FEW_BODY gg_floats16 few_widen(enum gg_precision stored, const void *w) {
    typedef uint16_t halves16 __attribute__((vector_size(32)));
    halves16 halves;
    if (stored == GG_PRECISION_FP32)
        return few_sums(w);
    memcpy(&halves, w, sizeof halves);
    return (gg_floats16)(__builtin_convertvector(halves, gg_few_lanes) << 16);
}

/* sums += x W[k, :]: a row of W for a row of x. */
GG_FEW_BODY void few_add_row(enum gg_precision stored, const void *w, float x, int64_t columns, float *sums) {
    enum { ONCE = 4 };
    int64_t c = 0;
    FEW_ONE_BY_ONE();
    for (; c + ONCE * FEW_LANES <= columns; c += ONCE * FEW_LANES)
        GG_FEW_UNROLL for (int v = 0; v < ONCE; v++) {
            float *at = sums + c + v * FEW_LANES;
            const gg_floats16 sum = few_sums(at) + few_widen(stored, gg_at(stored, w, c + v * FEW_LANES)) * x;
            memcpy(at, &sum, sizeof sum);
        }
    for (; c < columns; c++)
        sums[c] += gg_load(stored, w, c) * x;
}

/* Rows [k, to) of W, in columns from `column` on, one by one. */
static GG_FEW_TARGET void few_add_rows(const struct gg_few_panel *p, int64_t k, int64_t to, int64_t column) {
    for (; k < to; k++)
        for (int64_t r = 0; r < p->rows; r++)
            GG_SPECIALISE(few_add_row, p->stored, gg_at(p->stored, p->w, k * p->w_stride + column),
                          gg_load(p->stored, p->x, r * p->x_stride + k), p->columns - column,
                          p->sums + r * p->sums_stride + column);
}

/* What is brought near next: lines of W in the order in which they stand in memory. */
struct few_ahead {
    const char *row;
    int64_t at, row_bytes, stride_bytes, rows;
    const char *next;
};

GG_FEW_BODY void few_fetch(struct few_ahead *a) {
    __builtin_prefetch(a->row + a->at, 0, 2);
    a->at += FEW_LINE;
    if (a->at < a->row_bytes)
        return;
    a->at = 0;
    a->row += a->stride_bytes;
    if (--a->rows == 0 && a->next != NULL)
        a->row = a->next;
}

static GG_FEW_TARGET struct few_ahead few_ahead_of(const struct gg_few_panel *p) {
    const int64_t bytes = (int64_t)gg_stored_bytes(p->stored);
    return (struct few_ahead){.row = gg_at(p->stored, p->w, FEW_DEPTH * p->w_stride),
                              .row_bytes = p->columns / FEW_COLUMNS * FEW_COLUMNS * bytes,
                              .stride_bytes = p->w_stride * bytes,
                              .rows = p->in - FEW_DEPTH,
                              .next = p->next};
}

/* Two vectors of weights of FEW_COLUMNS columns at w: of one row; or of two rows, paired, the upper row being
 * the odd number, in an order that few_restore undoes. */
GG_FEW_BODY void few_weights(enum gg_precision stored, const void *w, int64_t stride, gg_few_lanes out[2]) {
    out[0] = few_load(w);
    if (stored == GG_PRECISION_BF16) {
        const gg_few_halves odd = (gg_few_halves)out[0],
                            even = (gg_few_halves)few_load((const gg_bf16 *)w + stride);
        out[0] = (gg_few_lanes)__builtin_shufflevector(even, odd, 0, 32, 1, 33, 2, 34, 3, 35, 8, 40, 9, 41,
                                                       10, 42, 11, 43, 16, 48, 17, 49, 18, 50, 19, 51, 24, 56,
                                                       25, 57, 26, 58, 27, 59);
        out[1] = (gg_few_lanes)__builtin_shufflevector(even, odd, 4, 36, 5, 37, 6, 38, 7, 39, 12, 44, 13, 45,
                                                       14, 46, 15, 47, 20, 52, 21, 53, 22, 54, 23, 55, 28, 60,
                                                       29, 61, 30, 62, 31, 63);
    } else {
        out[1] = few_load((const float *)w + FEW_LANES);
    }
}

static GG_FEW_TARGET void few_restore(const struct gg_few_panel *p) {
    for (int64_t r = 0; r < p->rows; r++)
        for (int64_t c = 0; c + FEW_COLUMNS <= p->columns; c += FEW_COLUMNS) {
            float *at = p->sums + r * p->sums_stride + c;
            const gg_floats16 a = few_sums(at), b = few_sums(at + FEW_LANES);
            const gg_floats16 first =
                __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
            const gg_floats16 second =
                __builtin_shufflevector(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
            memcpy(at, &first, sizeof first);
            memcpy(at + FEW_LANES, &second, sizeof second);
        }
}

/* The rows' numbers for FEW_DEPTH rows of W, side by side: floats, or pairs. */
typedef uint32_t few_numbers[FEW_DEPTH][GG_FEW_ROWS];

static GG_FEW_TARGET void few_take(const struct gg_few_panel *p, int64_t k, few_numbers numbers) {
    for (int64_t r = 0; r < p->rows; r++)
        for (int i = 0; i < FEW_DEPTH; i++)
            if (p->stored == GG_PRECISION_FP32) {
                memcpy(&numbers[i][r], (const float *)p->x + r * p->x_stride + k + i, sizeof numbers[i][r]);
            } else if (i % 2 == 0) {
                const gg_bf16 *two = (const gg_bf16 *)p->x + r * p->x_stride + k + i;
                numbers[i / 2][r] = (uint32_t)two[0] << 16 | two[1];
            }
}

/* sums += x W of FEW_DEPTH rows of W, in whole FEW_COLUMNS. */
GG_FEW_BODY void few_chunk(enum gg_precision stored, int rows, const struct gg_few_panel *p, int64_t k,
                           few_numbers numbers, struct few_ahead *ahead) {
    const int deep = stored == GG_PRECISION_BF16 ? 2 : 1; /* rows of W at once */
    for (int64_t c = 0; c + FEW_COLUMNS <= p->columns; c += FEW_COLUMNS) {
        gg_floats16 sums[2 * GG_FEW_ROWS];
        float *at = p->sums + c;
        GG_FEW_UNROLL for (int r = 0; r < rows; r++) {
            sums[2 * r] = few_sums(at + r * p->sums_stride);
            sums[2 * r + 1] = few_sums(at + r * p->sums_stride + FEW_LANES);
        }
        for (int i = 0; i < FEW_DEPTH / deep; i++) {
            gg_few_lanes w[2];
            few_weights(stored, gg_at(stored, p->w, (k + i * deep) * p->w_stride + c), p->w_stride, w);
            few_fetch(ahead);
            few_fetch(ahead);
            GG_FEW_UNROLL for (int r = 0; r < rows; r++) {
                const gg_few_lanes x = (gg_few_lanes){0} + numbers[i][r];
                sums[2 * r] = few_add(stored, sums[2 * r], w[0], x);
                sums[2 * r + 1] = few_add(stored, sums[2 * r + 1], w[1], x);
            }
        }
        GG_FEW_UNROLL for (int r = 0; r < rows; r++) {
            memcpy(at + r * p->sums_stride, &sums[2 * r], sizeof sums[0]);
            memcpy(at + r * p->sums_stride + FEW_LANES, &sums[2 * r + 1], sizeof sums[0]);
        }
    }
}

GG_FEW_BODY void few_columns(enum gg_precision stored, int rows, const struct gg_few_panel *p) {
    struct few_ahead ahead = few_ahead_of(p);
    const int64_t whole = p->in / FEW_DEPTH * FEW_DEPTH, tail = p->columns / FEW_COLUMNS * FEW_COLUMNS;
    for (int64_t k = 0; k < whole; k += FEW_DEPTH) {
        few_numbers numbers;
        few_take(p, k, numbers);
        few_chunk(stored, rows, p, k, numbers, &ahead);
        if (tail < p->columns)
            few_add_rows(p, k, k + FEW_DEPTH, tail);
    }
    if (stored == GG_PRECISION_BF16)
        few_restore(p);
    few_add_rows(p, whole, p->in, 0);
}

/* ---- W (out, in) ---- */

/* The sum of the lanes. */
GG_FEW_BODY float few_total(gg_floats16 s) {
    typedef float lanes8 __attribute__((vector_size(32)));
    typedef float lanes4 __attribute__((vector_size(16)));
    const lanes8 a = __builtin_shufflevector(s, s, 0, 1, 2, 3, 4, 5, 6, 7) +
                     __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15);
    const lanes4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
    return (b[0] + b[2]) + (b[1] + b[3]);
}

/* The sums of the lanes of sixteen, in the same order of summation. */
GG_FEW_BODY gg_floats16 few_totals(const gg_floats16 s[16]) {
    gg_floats16 a[8], b[4], c[2];
    GG_FEW_UNROLL for (int i = 0; i < 8; i++) a[i] =
        __builtin_shufflevector(s[i], s[i + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
        __builtin_shufflevector(s[i], s[i + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    GG_FEW_UNROLL for (int i = 0; i < 4; i++) b[i] =
        __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
        __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    GG_FEW_UNROLL for (int i = 0; i < 2; i++) c[i] =
        __builtin_shufflevector(b[i], b[i + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
        __builtin_shufflevector(b[i], b[i + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    const gg_floats16 even =
        __builtin_shufflevector(c[0], c[1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
    const gg_floats16 odd =
        __builtin_shufflevector(c[0], c[1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    return even + odd;
}

/* sums[r] += x[r] . W[v] of `taken` rows of W, over whole steps and what is left of `in`.
 *   sums (rows, taken) */
GG_FEW_BODY void few_dots(enum gg_precision stored, int rows, int taken, const struct gg_few_panel *p,
                          const void *w, gg_floats16 *sums) {
    enum { AHEAD = 12288 }; /* bytes */
    const int64_t step = few_step(stored), whole = p->in / step * step;
    const char *ahead = (const char *)w + AHEAD;
    gg_few_lanes weights[2];
    for (int64_t k = 0; k < whole; k += step) {
        GG_FEW_UNROLL for (int v = 0; v < taken; v++) {
            weights[v] = few_load(gg_at(stored, w, v * p->in + k));
            if (rows > 1)
                __builtin_prefetch(ahead, 0, 2);
            ahead += FEW_LINE;
        }
        GG_FEW_UNROLL for (int r = 0; r < rows; r++) {
            const gg_few_lanes x = few_load(gg_at(stored, p->x, r * p->x_stride + k));
            GG_FEW_UNROLL for (int v = 0; v < taken; v++) sums[r * taken + v] =
                few_add(stored, sums[r * taken + v], weights[v], x);
        }
    }
    if (whole == p->in)
        return;
    for (int v = 0; v < taken; v++)
        weights[v] = few_load_some(stored, gg_at(stored, w, v * p->in + whole), p->in - whole);
    GG_FEW_UNROLL for (int r = 0; r < rows; r++) {
        const gg_few_lanes x =
            few_load_some(stored, gg_at(stored, p->x, r * p->x_stride + whole), p->in - whole);
        GG_FEW_UNROLL for (int v = 0; v < taken; v++) sums[r * taken + v] =
            few_add(stored, sums[r * taken + v], weights[v], x);
    }
}

/* Elements of the result, two columns at a time: of one row one. */
GG_FEW_BODY void few_transposed(enum gg_precision stored, int rows, const struct gg_few_panel *p) {
    int64_t v = 0;
    for (; rows > 1 && v + 2 <= p->columns; v += 2) {
        gg_floats16 sums[2 * GG_FEW_ROWS] = {{0}};
        float totals[2 * GG_FEW_ROWS];
        few_dots(stored, rows, 2, p, gg_at(stored, p->w, v * p->in), sums);
        const gg_floats16 all = few_totals(sums);
        memcpy(totals, &all, sizeof all);
        for (int r = 0; r < rows; r++)
            memcpy(p->sums + r * p->sums_stride + v, totals + 2 * r, 2 * sizeof *totals);
    }
    for (; v < p->columns; v++) {
        gg_floats16 sums[GG_FEW_ROWS] = {{0}};
        FEW_ONE_BY_ONE();
        few_dots(stored, rows, 1, p, gg_at(stored, p->w, v * p->in), sums);
        GG_FEW_UNROLL for (int r = 0; r < rows; r++) p->sums[r * p->sums_stride + v] = few_total(sums[r]);
    }
}

/* ---- both ---- */

GG_FEW_BODY void few_some_rows(enum gg_precision stored, int rows, const struct gg_few_panel *p) {
    if (p->transpose_w == GG_TRANSPOSED)
        few_transposed(stored, rows, p);
    else if (rows == 1 && p->columns == p->w_stride)
        few_add_rows(p, 0, p->in, 0);
    else
        few_columns(stored, rows, p);
}

/* The number of rows as a constant. */
GG_FEW_BODY void few_panel(enum gg_precision stored, const struct gg_few_panel *p) {
    for (int64_t r = 0; r < p->rows; r++)
        memset(p->sums + r * p->sums_stride, 0, (size_t)p->columns * sizeof *p->sums);
    switch (p->rows) {
    case 1:
        few_some_rows(stored, 1, p);
        break;
    case 2:
        few_some_rows(stored, 2, p);
        break;
    case 3:
        few_some_rows(stored, 3, p);
        break;
    case 4:
        few_some_rows(stored, 4, p);
        break;
    case 5:
        few_some_rows(stored, 5, p);
        break;
    case 6:
        few_some_rows(stored, 6, p);
        break;
    case 7:
        few_some_rows(stored, 7, p);
        break;
    default:
        few_some_rows(stored, 8, p);
        break;
    }
}

#endif
