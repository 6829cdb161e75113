#include "core/kernels/rows.h"

enum { COLUMN_BLOCK = 64 };

void gg_bias_add(float *x, const float *bias, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        float *row = x + t * width;
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            row[c] += bias[c];
    }
}

/* Sums columns [from, from + count) over runs of rows, so that long sums keep their accuracy. */
static void sum_columns(const float *d_y, float *gradient, int64_t tokens, int64_t width, int64_t from,
                        int64_t count) {
    enum { RUN = 128 };
    float total[COLUMN_BLOCK] = {0};
    for (int64_t start = 0; start < tokens; start += RUN) {
        const int64_t end = start + RUN < tokens ? start + RUN : tokens;
        float sum[COLUMN_BLOCK] = {0};
        for (int64_t t = start; t < end; t++) {
            const float *row = d_y + t * width + from;
#pragma omp simd
            for (int64_t c = 0; c < count; c++)
                sum[c] += row[c];
        }
        for (int64_t c = 0; c < count; c++)
            total[c] += sum[c];
    }
    for (int64_t c = 0; c < count; c++)
        gradient[from + c] += total[c];
}

void gg_bias_gradient(const float *d_y, float *gradient, int64_t tokens, int64_t width) {
    const int64_t blocks = (width + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t from = b * COLUMN_BLOCK;
        const int64_t count = from + COLUMN_BLOCK <= width ? COLUMN_BLOCK : width - from;
        sum_columns(d_y, gradient, tokens, width, from, count);
    }
}
