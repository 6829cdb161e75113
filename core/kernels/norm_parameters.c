/* Gradients of a norm's gain and bias: sums over tokens, a column for each feature.
 *
 * Rows are summed in runs, whose sums are added up in order, so that long sums keep their accuracy. Threads
 * share the columns, in blocks; where there are few columns and many rows, as of heads, they share the runs.
 */
#include "core/kernels/norm.h"

#include <stdbool.h>

enum { COLUMN_BLOCK = 64, RUN = 128, FEW_BLOCKS = 4, RUNS_AT_ONCE = 16 };

struct column_sums {
    float gain[COLUMN_BLOCK], bias[COLUMN_BLOCK];
};

/* Of columns [from, from + count) and rows [start, end); of the bias only where it is wanted. */
GG_KERNEL_BODY void sum_run(enum gg_precision stored, bool centred, bool biased, const struct gg_norm *norm,
                            const void *x, const float *stats, const void *d_y, int64_t start, int64_t end,
                            int64_t from, int64_t count, struct column_sums *sums) {
    for (int64_t t = start; t < end; t++) {
        const void *row = gg_at(stored, x, t * norm->width + from);
        const void *d_row = gg_at(stored, d_y, t * norm->width + from);
        const float mean = stats[2 * t], inverse = stats[2 * t + 1];
#pragma omp simd
        for (int64_t c = 0; c < count; c++) {
            const float d = gg_load(stored, d_row, c);
            const float difference = centred ? gg_load(stored, row, c) - mean : gg_load(stored, row, c);
            sums->gain[c] += d * (difference * inverse);
            if (biased)
                sums->bias[c] += d;
        }
    }
}

static struct column_sums run_sums(const struct gg_norm *norm, bool biased, const void *x, const float *stats,
                                   const void *d_y, int64_t start, int64_t tokens, int64_t from,
                                   int64_t count) {
    const int64_t end = start + RUN < tokens ? start + RUN : tokens;
    struct column_sums sums = {0};
#define SUM_RUN(centred, biased)                                                                             \
    GG_SPECIALISE(sum_run, norm->stored, centred, biased, norm, x, stats, d_y, start, end, from, count, &sums)
    if (norm->centred && biased)
        SUM_RUN(true, true);
    else if (norm->centred)
        SUM_RUN(true, false);
    else if (biased)
        SUM_RUN(false, true);
    else
        SUM_RUN(false, false);
#undef SUM_RUN
    return sums;
}

static void add_sums(const struct column_sums *sums, int64_t count, struct column_sums *total) {
    for (int64_t c = 0; c < count; c++) {
        total->gain[c] += sums->gain[c];
        total->bias[c] += sums->bias[c];
    }
}

static void add_to_gradients(const struct column_sums *total, int64_t count, float *d_gain, float *d_bias) {
    for (int64_t c = 0; c < count; c++)
        d_gain[c] += total->gain[c];
    for (int64_t c = 0; d_bias != NULL && c < count; c++)
        d_bias[c] += total->bias[c];
}

/* The columns of a block. */
static int64_t block_columns(const struct gg_norm *norm, int64_t block) {
    const int64_t left = norm->width - block * COLUMN_BLOCK;
    return left < COLUMN_BLOCK ? left : COLUMN_BLOCK;
}

/* Of up to FEW_BLOCKS blocks of columns: threads share the runs. */
static void share_runs(const struct gg_norm *norm, const void *x, const float *stats, const void *d_y,
                       float *d_gain, float *d_bias, int64_t tokens, int64_t blocks) {
    struct column_sums total[FEW_BLOCKS] = {0}, runs[RUNS_AT_ONCE][FEW_BLOCKS];
    for (int64_t start = 0; start < tokens; start += RUNS_AT_ONCE * RUN) {
        const int64_t left = (tokens - start + RUN - 1) / RUN;
        const int64_t count = left < RUNS_AT_ONCE ? left : RUNS_AT_ONCE;
#pragma omp parallel for schedule(static)
        for (int64_t r = 0; r < count; r++)
            for (int64_t b = 0; b < blocks; b++)
                runs[r][b] = run_sums(norm, d_bias != NULL, x, stats, d_y, start + r * RUN, tokens,
                                      b * COLUMN_BLOCK, block_columns(norm, b));
        for (int64_t r = 0; r < count; r++)
            for (int64_t b = 0; b < blocks; b++)
                add_sums(&runs[r][b], block_columns(norm, b), &total[b]);
    }
    for (int64_t b = 0; b < blocks; b++)
        add_to_gradients(&total[b], block_columns(norm, b), d_gain + b * COLUMN_BLOCK,
                         d_bias != NULL ? d_bias + b * COLUMN_BLOCK : NULL);
}

void gg_norm_backward_parameters(const struct gg_norm *norm, const void *x, const float *stats,
                                 const void *d_y, float *d_gain, float *d_bias, int64_t tokens) {
    const int64_t blocks = (norm->width + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
    if (blocks <= FEW_BLOCKS) {
        share_runs(norm, x, stats, d_y, d_gain, d_bias, tokens, blocks);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t from = b * COLUMN_BLOCK, count = block_columns(norm, b);
        struct column_sums total = {0};
        for (int64_t start = 0; start < tokens; start += RUN) {
            const struct column_sums sums =
                run_sums(norm, d_bias != NULL, x, stats, d_y, start, tokens, from, count);
            add_sums(&sums, count, &total);
        }
        add_to_gradients(&total, count, d_gain + from, d_bias != NULL ? d_bias + from : NULL);
    }
}
