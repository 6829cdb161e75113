#include "core/kernels/residual.h"

#include <omp.h>

size_t gg_residual_workspace_bytes(int64_t width, int threads) {
    return (size_t)width * (size_t)threads * sizeof(float);
}

void gg_residual_add(const float *x, const float *branch, const float *bias,
                     const struct gg_dropout_rows *rows, float *y, int64_t tokens, int64_t width,
                     void *workspace) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const float *x_row = x + t * width, *branch_row = branch + t * width;
        float *y_row = y + t * width;
        if (rows->dropout.threshold > 0) {
            float *mask = (float *)workspace + omp_get_thread_num() * width;
            gg_dropout_row(rows, t, width, mask);
#pragma omp simd
            for (int64_t c = 0; c < width; c++)
                y_row[c] = x_row[c] + (branch_row[c] + bias[c]) * mask[c];
        } else {
#pragma omp simd
            for (int64_t c = 0; c < width; c++)
                y_row[c] = x_row[c] + branch_row[c] + bias[c];
        }
    }
}

void gg_dropout_apply(const float *x, const struct gg_dropout_rows *rows, float *y, int64_t tokens,
                      int64_t width, void *workspace) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        float *mask = (float *)workspace + omp_get_thread_num() * width;
        gg_dropout_row(rows, t, width, mask);
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            y[t * width + c] = x[t * width + c] * mask[c];
    }
}
