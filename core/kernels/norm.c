#include "core/kernels/norm.h"

#include <math.h>

static const float epsilon = 1e-5f; /* GPT-2's */

/* So many rows are one thread's: the caller's, who may share out rows himself, or one's of the rank. */
enum { FEW_ROWS = 16 };

static int64_t few(int64_t tokens) {
    return tokens < FEW_ROWS ? tokens : FEW_ROWS;
}

GG_KERNEL_BODY void norm_sums(enum gg_precision stored, const void *x, float *sums, int64_t tokens,
                              int64_t width) {
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width);
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < width; c++)
            sum += gg_load(stored, row, c);
        sums[t] = sum;
    }
}

void gg_norm_sums(enum gg_precision stored, const void *x, float *sums, int64_t tokens, int64_t width) {
    if (tokens <= FEW_ROWS) {
        GG_SPECIALISE(norm_sums, stored, x, sums, tokens, width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_sums(stored, gg_at(stored, x, t * width), sums + t, few(tokens - t), width);
}

GG_KERNEL_BODY void norm_squares(enum gg_precision stored, const void *x, const float *sums, float *squares,
                                 int64_t tokens, int64_t width, int64_t whole_width) {
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width);
        const float mean = sums[t] / (float)whole_width;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < width; c++) {
            const float difference = gg_load(stored, row, c) - mean;
            sum += difference * difference;
        }
        squares[t] = sum;
    }
}

void gg_norm_squares(enum gg_precision stored, const void *x, const float *sums, float *squares,
                     int64_t tokens, int64_t width, int64_t whole_width) {
    if (tokens <= FEW_ROWS) {
        GG_SPECIALISE(norm_squares, stored, x, sums, squares, tokens, width, whole_width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_squares(stored, gg_at(stored, x, t * width), sums + t, squares + t, few(tokens - t), width,
                        whole_width);
}

GG_KERNEL_BODY void norm_apply(enum gg_precision stored, const void *x, const float *sums,
                               const float *squares, const float *gain, const float *bias, void *y,
                               float *stats, int64_t tokens, int64_t width, int64_t whole_width) {
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width);
        void *out = gg_at(stored, y, t * width);
        const float mean = sums[t] / (float)whole_width;
        const float inverse = 1.0f / sqrtf(squares[t] / (float)whole_width + epsilon);
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            gg_store(stored, out, c, (gg_load(stored, row, c) - mean) * inverse * gain[c] + bias[c]);
        stats[2 * t] = mean;
        stats[2 * t + 1] = inverse;
    }
}

void gg_norm_apply(enum gg_precision stored, const void *x, const float *sums, const float *squares,
                   const float *gain, const float *bias, void *y, float *stats, int64_t tokens, int64_t width,
                   int64_t whole_width) {
    if (tokens <= FEW_ROWS) {
        GG_SPECIALISE(norm_apply, stored, x, sums, squares, gain, bias, y, stats, tokens, width, whole_width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_apply(stored, gg_at(stored, x, t * width), sums + t, squares + t, gain, bias,
                      gg_at(stored, y, t * width), stats + 2 * t, few(tokens - t), width, whole_width);
}

GG_KERNEL_BODY void norm_backward_sums(enum gg_precision stored, const void *x, const float *stats,
                                       const float *gain, const void *d_y, float *sums, int64_t tokens,
                                       int64_t width) {
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width), *d_row = gg_at(stored, d_y, t * width);
        const float mean = stats[2 * t], inverse = stats[2 * t + 1];
        float sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
        for (int64_t c = 0; c < width; c++) {
            const float d_xhat = gg_load(stored, d_row, c) * gain[c];
            sum += d_xhat;
            product += d_xhat * (gg_load(stored, row, c) - mean) * inverse;
        }
        sums[2 * t] = sum;
        sums[2 * t + 1] = product;
    }
}

void gg_norm_backward_sums(enum gg_precision stored, const void *x, const float *stats, const float *gain,
                           const void *d_y, float *sums, int64_t tokens, int64_t width) {
    if (tokens <= FEW_ROWS) {
        GG_SPECIALISE(norm_backward_sums, stored, x, stats, gain, d_y, sums, tokens, width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_backward_sums(stored, gg_at(stored, x, t * width), stats + 2 * t, gain,
                              gg_at(stored, d_y, t * width), sums + 2 * t, few(tokens - t), width);
}

GG_KERNEL_BODY void norm_backward_input(enum gg_precision stored, const void *x, const float *stats,
                                        const float *gain, const void *d_y, const float *sums, bool add,
                                        void *d_x, int64_t tokens, int64_t width, int64_t whole_width) {
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width), *d_row = gg_at(stored, d_y, t * width);
        void *d_out = gg_at(stored, d_x, t * width);
        const float mean = stats[2 * t], inverse = stats[2 * t + 1];
        const float mean_sum = sums[2 * t] / (float)whole_width;
        const float mean_product = sums[2 * t + 1] / (float)whole_width;
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            const float xhat = (gg_load(stored, row, c) - mean) * inverse;
            const float d = (gg_load(stored, d_row, c) * gain[c] - mean_sum - xhat * mean_product) * inverse;
            gg_store(stored, d_out, c, (add ? gg_load(stored, d_out, c) : 0) + d);
        }
    }
}

void gg_norm_backward_input(enum gg_precision stored, const void *x, const float *stats, const float *gain,
                            const void *d_y, const float *sums, bool add, void *d_x, int64_t tokens,
                            int64_t width, int64_t whole_width) {
    if (tokens <= FEW_ROWS) {
        if (add) {
            GG_SPECIALISE(norm_backward_input, stored, x, stats, gain, d_y, sums, true, d_x, tokens, width,
                          whole_width);
        } else {
            GG_SPECIALISE(norm_backward_input, stored, x, stats, gain, d_y, sums, false, d_x, tokens, width,
                          whole_width);
        }
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_backward_input(stored, gg_at(stored, x, t * width), stats + 2 * t, gain,
                               gg_at(stored, d_y, t * width), sums + 2 * t, add,
                               gg_at(stored, d_x, t * width), few(tokens - t), width, whole_width);
}

enum { COLUMN_BLOCK = 64, RUN = 128 };

GG_KERNEL_BODY void parameter_columns(enum gg_precision stored, const void *x, const float *stats,
                                      const void *d_y, float *d_gain, float *d_bias, int64_t tokens,
                                      int64_t width, int64_t from, int64_t count) {
    float gain_total[COLUMN_BLOCK] = {0}, bias_total[COLUMN_BLOCK] = {0};
    for (int64_t start = 0; start < tokens; start += RUN) {
        const int64_t end = start + RUN < tokens ? start + RUN : tokens;
        float gain_sum[COLUMN_BLOCK] = {0}, bias_sum[COLUMN_BLOCK] = {0};
        for (int64_t t = start; t < end; t++) {
            const void *row = gg_at(stored, x, t * width + from),
                       *d_row = gg_at(stored, d_y, t * width + from);
            const float mean = stats[2 * t], inverse = stats[2 * t + 1];
#pragma omp simd
            for (int64_t c = 0; c < count; c++) {
                const float d = gg_load(stored, d_row, c);
                gain_sum[c] += d * ((gg_load(stored, row, c) - mean) * inverse);
                bias_sum[c] += d;
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

void gg_norm_backward_parameters(enum gg_precision stored, const void *x, const float *stats, const void *d_y,
                                 float *d_gain, float *d_bias, int64_t tokens, int64_t width) {
    const int64_t blocks = (width + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t from = b * COLUMN_BLOCK;
        const int64_t count = from + COLUMN_BLOCK <= width ? COLUMN_BLOCK : width - from;
        GG_SPECIALISE(parameter_columns, stored, x, stats, d_y, d_gain, d_bias, tokens, width, from, count);
    }
}
