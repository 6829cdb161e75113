#include "core/kernels/norm.h"

#include <math.h>

/* So many rows are one thread's: the caller's, who may share out rows himself, or one's of the rank. */
enum { FEW_ROWS = 16 };

static int64_t few(int64_t tokens) {
    return tokens < FEW_ROWS ? tokens : FEW_ROWS;
}

/* Calls a body with its precision, and with whether the mean is subtracted, as constants. */
#define SPECIALISE(body, norm, ...)                                                                          \
    ((norm)->centred ? GG_SPECIALISE(body, (norm)->stored, true, __VA_ARGS__)                                \
                     : GG_SPECIALISE(body, (norm)->stored, false, __VA_ARGS__))

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

void gg_norm_sums(const struct gg_norm *norm, const void *x, float *sums, int64_t tokens) {
    if (tokens <= FEW_ROWS) {
        GG_SPECIALISE(norm_sums, norm->stored, x, sums, tokens, norm->width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_sums(norm, gg_at(norm->stored, x, t * norm->width), sums + t, few(tokens - t));
}

/* The sums of rows from `t` on; RMSNorm has none. */
static const float *sums_at(const float *sums, int64_t t) {
    return sums != NULL ? sums + t : NULL;
}

GG_KERNEL_BODY void norm_squares(enum gg_precision stored, bool centred, const void *x, const float *sums,
                                 float *squares, int64_t tokens, int64_t width, int64_t whole_width) {
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width);
        const float mean = centred ? sums[t] / (float)whole_width : 0;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < width; c++) {
            const float difference = centred ? gg_load(stored, row, c) - mean : gg_load(stored, row, c);
            sum += difference * difference;
        }
        squares[t] = sum;
    }
}

void gg_norm_squares(const struct gg_norm *norm, const void *x, const float *sums, float *squares,
                     int64_t tokens) {
    if (tokens <= FEW_ROWS) {
        SPECIALISE(norm_squares, norm, x, sums, squares, tokens, norm->width, norm->whole_width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_squares(norm, gg_at(norm->stored, x, t * norm->width), sums_at(sums, t), squares + t,
                        few(tokens - t));
}

GG_KERNEL_BODY void norm_apply(enum gg_precision stored, bool centred, bool biased,
                               const struct gg_norm *norm, const void *x, const float *sums,
                               const float *squares, const float *gain, const float *bias, void *y,
                               float *stats, int64_t tokens) {
    const int64_t width = norm->width;
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width);
        void *out = gg_at(stored, y, t * width);
        const float mean = centred ? sums[t] / (float)norm->whole_width : 0;
        const float inverse = 1.0f / sqrtf(squares[t] / (float)norm->whole_width + norm->epsilon);
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            const float difference = centred ? gg_load(stored, row, c) - mean : gg_load(stored, row, c);
            const float scaled = difference * inverse * gain[c];
            gg_store(stored, out, c, biased ? scaled + bias[c] : scaled);
        }
        stats[2 * t] = mean;
        stats[2 * t + 1] = inverse;
    }
}

void gg_norm_apply(const struct gg_norm *norm, const void *x, const float *sums, const float *squares,
                   const float *gain, const float *bias, void *y, float *stats, int64_t tokens) {
    if (tokens <= FEW_ROWS) {
        if (bias != NULL) {
            SPECIALISE(norm_apply, norm, true, norm, x, sums, squares, gain, bias, y, stats, tokens);
        } else {
            SPECIALISE(norm_apply, norm, false, norm, x, sums, squares, gain, bias, y, stats, tokens);
        }
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_apply(norm, gg_at(norm->stored, x, t * norm->width), sums_at(sums, t), squares + t, gain,
                      bias, gg_at(norm->stored, y, t * norm->width), stats + 2 * t, few(tokens - t));
}

GG_KERNEL_BODY void norm_backward_sums(enum gg_precision stored, bool centred, const void *x,
                                       const float *stats, const float *gain, const void *d_y, float *sums,
                                       int64_t tokens, int64_t width) {
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width), *d_row = gg_at(stored, d_y, t * width);
        const float mean = stats[2 * t], inverse = stats[2 * t + 1];
        float sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
        for (int64_t c = 0; c < width; c++) {
            const float d_xhat = gg_load(stored, d_row, c) * gain[c];
            if (centred)
                sum += d_xhat;
            product +=
                d_xhat * (centred ? gg_load(stored, row, c) - mean : gg_load(stored, row, c)) * inverse;
        }
        sums[2 * t] = sum;
        sums[2 * t + 1] = product;
    }
}

void gg_norm_backward_sums(const struct gg_norm *norm, const void *x, const float *stats, const float *gain,
                           const void *d_y, float *sums, int64_t tokens) {
    if (tokens <= FEW_ROWS) {
        SPECIALISE(norm_backward_sums, norm, x, stats, gain, d_y, sums, tokens, norm->width);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_backward_sums(norm, gg_at(norm->stored, x, t * norm->width), stats + 2 * t, gain,
                              gg_at(norm->stored, d_y, t * norm->width), sums + 2 * t, few(tokens - t));
}

GG_KERNEL_BODY void norm_backward_input(enum gg_precision stored, bool centred, bool add,
                                        const struct gg_norm *norm, const void *x, const float *stats,
                                        const float *gain, const void *d_y, const float *sums, void *d_x,
                                        int64_t tokens) {
    const int64_t width = norm->width;
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, x, t * width), *d_row = gg_at(stored, d_y, t * width);
        void *d_out = gg_at(stored, d_x, t * width);
        const float mean = stats[2 * t], inverse = stats[2 * t + 1];
        const float mean_sum = centred ? sums[2 * t] / (float)norm->whole_width : 0;
        const float mean_product = sums[2 * t + 1] / (float)norm->whole_width;
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            const float xhat = (centred ? gg_load(stored, row, c) - mean : gg_load(stored, row, c)) * inverse;
            const float d_xhat = gg_load(stored, d_row, c) * gain[c];
            const float d = ((centred ? d_xhat - mean_sum : d_xhat) - xhat * mean_product) * inverse;
            gg_store(stored, d_out, c, (add ? gg_load(stored, d_out, c) : 0) + d);
        }
    }
}

void gg_norm_backward_input(const struct gg_norm *norm, const void *x, const float *stats, const float *gain,
                            const void *d_y, const float *sums, bool add, void *d_x, int64_t tokens) {
    if (tokens <= FEW_ROWS) {
        if (add) {
            SPECIALISE(norm_backward_input, norm, true, norm, x, stats, gain, d_y, sums, d_x, tokens);
        } else {
            SPECIALISE(norm_backward_input, norm, false, norm, x, stats, gain, d_y, sums, d_x, tokens);
        }
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t += FEW_ROWS)
        gg_norm_backward_input(norm, gg_at(norm->stored, x, t * norm->width), stats + 2 * t, gain,
                               gg_at(norm->stored, d_y, t * norm->width), sums + 2 * t, add,
                               gg_at(norm->stored, d_x, t * norm->width), few(tokens - t));
}
