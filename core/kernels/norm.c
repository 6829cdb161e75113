#include "core/kernels/norm.h"

#include <math.h>

static const float epsilon = 1e-5f; /* GPT-2's */

void gg_norm_sums(const float *x, float *sums, int64_t tokens, int64_t width) {
    for (int64_t t = 0; t < tokens; t++) {
        const float *row = x + t * width;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < width; c++)
            sum += row[c];
        sums[t] = sum;
    }
}

void gg_norm_squares(const float *x, const float *sums, float *squares, int64_t tokens, int64_t width,
                     int64_t whole_width) {
    for (int64_t t = 0; t < tokens; t++) {
        const float *row = x + t * width;
        const float mean = sums[t] / (float)whole_width;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < width; c++)
            sum += (row[c] - mean) * (row[c] - mean);
        squares[t] = sum;
    }
}

void gg_norm_apply(const float *x, const float *sums, const float *squares, const float *gain,
                   const float *bias, float *y, float *stats, int64_t tokens, int64_t width,
                   int64_t whole_width) {
    for (int64_t t = 0; t < tokens; t++) {
        const float *row = x + t * width;
        float *out = y + t * width;
        const float mean = sums[t] / (float)whole_width;
        const float inverse = 1.0f / sqrtf(squares[t] / (float)whole_width + epsilon);
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            out[c] = (row[c] - mean) * inverse * gain[c] + bias[c];
        stats[2 * t] = mean;
        stats[2 * t + 1] = inverse;
    }
}

void gg_norm_backward_sums(const float *x, const float *stats, const float *gain, const float *d_y,
                           float *sums, int64_t tokens, int64_t width) {
    for (int64_t t = 0; t < tokens; t++) {
        const float *row = x + t * width, *d_row = d_y + t * width;
        const float mean = stats[2 * t], inverse = stats[2 * t + 1];
        float sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
        for (int64_t c = 0; c < width; c++) {
            const float d_xhat = d_row[c] * gain[c];
            sum += d_xhat;
            product += d_xhat * (row[c] - mean) * inverse;
        }
        sums[2 * t] = sum;
        sums[2 * t + 1] = product;
    }
}

void gg_norm_backward_input(const float *x, const float *stats, const float *gain, const float *d_y,
                            const float *sums, float *d_x, int64_t tokens, int64_t width,
                            int64_t whole_width) {
    for (int64_t t = 0; t < tokens; t++) {
        const float *row = x + t * width, *d_row = d_y + t * width;
        float *d_out = d_x + t * width;
        const float mean = stats[2 * t], inverse = stats[2 * t + 1];
        const float mean_sum = sums[2 * t] / (float)whole_width;
        const float mean_product = sums[2 * t + 1] / (float)whole_width;
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            const float xhat = (row[c] - mean) * inverse;
            d_out[c] += (d_row[c] * gain[c] - mean_sum - xhat * mean_product) * inverse;
        }
    }
}

enum { COLUMN_BLOCK = 64, RUN = 128 };

static void parameter_columns(const float *x, const float *stats, const float *d_y, float *d_gain,
                              float *d_bias, int64_t tokens, int64_t width, int64_t from, int64_t count) {
    float gain_total[COLUMN_BLOCK] = {0}, bias_total[COLUMN_BLOCK] = {0};
    for (int64_t start = 0; start < tokens; start += RUN) {
        const int64_t end = start + RUN < tokens ? start + RUN : tokens;
        float gain_sum[COLUMN_BLOCK] = {0}, bias_sum[COLUMN_BLOCK] = {0};
        for (int64_t t = start; t < end; t++) {
            const float *row = x + t * width + from, *d_row = d_y + t * width + from;
            const float mean = stats[2 * t], inverse = stats[2 * t + 1];
#pragma omp simd
            for (int64_t c = 0; c < count; c++) {
                gain_sum[c] += d_row[c] * ((row[c] - mean) * inverse);
                bias_sum[c] += d_row[c];
            }
        }
        for (int64_t c = 0; c < count; c++) {
            gain_total[c] += gain_sum[c];
            bias_total[c] += bias_sum[c];
        }
    }
    for (int64_t c = 0; c < count; c++) {
        d_gain[from + c] += gain_total[c];
        d_bias[from + c] += bias_total[c];
    }
}

void gg_norm_backward_parameters(const float *x, const float *stats, const float *d_y, float *d_gain,
                                 float *d_bias, int64_t tokens, int64_t width) {
    const int64_t blocks = (width + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t from = b * COLUMN_BLOCK;
        const int64_t count = from + COLUMN_BLOCK <= width ? COLUMN_BLOCK : width - from;
        parameter_columns(x, stats, d_y, d_gain, d_bias, tokens, width, from, count);
    }
}
