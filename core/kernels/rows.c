#include "core/kernels/rows.h"

#include <omp.h>

/* Columns that a thread sums at once: a long piece of each row, whose sums stay in the first-level cache. */
enum { MOST_COLUMNS = 1024, COLUMN_STEP = 64 };

GG_KERNEL_BODY void bias_add_row(enum gg_precision stored, void *x, const float *bias, int64_t width) {
#pragma omp simd
    for (int64_t c = 0; c < width; c++)
        gg_store(stored, x, c, gg_load(stored, x, c) + bias[c]);
}

void gg_bias_add(enum gg_precision stored, void *x, const float *bias, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        GG_SPECIALISE(bias_add_row, stored, gg_at(stored, x, t * width), bias, width);
}

GG_KERNEL_BODY void scale_row(enum gg_precision stored, void *x, float factor, int64_t width) {
#pragma omp simd
    for (int64_t c = 0; c < width; c++)
        gg_store(stored, x, c, gg_load(stored, x, c) * factor);
}

void gg_rows_scale(enum gg_precision stored, void *x, float factor, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        GG_SPECIALISE(scale_row, stored, gg_at(stored, x, t * width), factor, width);
}

/* Sums columns [from, from + count) over runs of rows, so that long sums keep their accuracy. */
GG_KERNEL_BODY void sum_columns(enum gg_precision stored, const void *d_y, float *gradient, int64_t tokens,
                                int64_t width, int64_t from, int64_t count) {
    enum { RUN = 128 };
    float total[MOST_COLUMNS] = {0};
    for (int64_t start = 0; start < tokens; start += RUN) {
        const int64_t end = start + RUN < tokens ? start + RUN : tokens;
        float sum[MOST_COLUMNS] = {0};
        for (int64_t t = start; t < end; t++) {
            const void *row = gg_at(stored, d_y, t * width + from);
#pragma omp simd
            for (int64_t c = 0; c < count; c++)
                sum[c] += gg_load(stored, row, c);
        }
        for (int64_t c = 0; c < count; c++)
            total[c] += sum[c];
    }
    for (int64_t c = 0; c < count; c++)
        gradient[from + c] += total[c];
}

void gg_bias_gradient(enum gg_precision stored, const void *d_y, float *gradient, int64_t tokens,
                      int64_t width) {
    const int64_t share = (width / omp_get_max_threads() + COLUMN_STEP - 1) / COLUMN_STEP * COLUMN_STEP;
    const int64_t most = share < COLUMN_STEP ? COLUMN_STEP : share < MOST_COLUMNS ? share : MOST_COLUMNS;
    const int64_t blocks = (width + most - 1) / most;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t from = b * most, count = from + most <= width ? most : width - from;
        GG_SPECIALISE(sum_columns, stored, d_y, gradient, tokens, width, from, count);
    }
}

static int64_t position_of(const int32_t *starts, int64_t t, int64_t time) {
    return t % time - (starts != NULL ? starts[t] : 0);
}

void gg_positions_add(enum gg_precision stored, void *x, const float *positions, const int32_t *starts,
                      int64_t tokens, int64_t time, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        GG_SPECIALISE(bias_add_row, stored, gg_at(stored, x, t * width),
                      positions + position_of(starts, t, time) * width, width);
}

GG_KERNEL_BODY void add_row(enum gg_precision stored, const void *d_row, float *sum, int64_t width) {
#pragma omp simd
    for (int64_t c = 0; c < width; c++)
        sum[c] += gg_load(stored, d_row, c);
}

/* Texts that begin anywhere: threads share the columns, since any token may add to any position. */
static void packed_gradient(enum gg_precision stored, const void *d_y, float *gradient, const int32_t *starts,
                            int64_t tokens, int64_t time, int64_t width) {
    const int64_t blocks = (width + COLUMN_STEP - 1) / COLUMN_STEP;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t from = b * COLUMN_STEP, count = width - from < COLUMN_STEP ? width - from : COLUMN_STEP;
        for (int64_t t = 0; t < tokens; t++)
            GG_SPECIALISE(add_row, stored, gg_at(stored, d_y, t * width + from),
                          gradient + position_of(starts, t, time) * width + from, count);
    }
}

void gg_positions_gradient(enum gg_precision stored, const void *d_y, float *gradient, const int32_t *starts,
                           int64_t tokens, int64_t time, int64_t width) {
    if (starts != NULL) {
        packed_gradient(stored, d_y, gradient, starts, tokens, time, width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t position = 0; position < time; position++)
        for (int64_t t = position; t < tokens; t += time)
            GG_SPECIALISE(add_row, stored, gg_at(stored, d_y, t * width), gradient + position * width, width);
}
