#include "core/kernels/residual_add.h"

#include <omp.h>

size_t gg_residual_workspace_bytes(int64_t width, int threads) {
    return (size_t)width * (size_t)threads * sizeof(float);
}

/* bias: or NULL; mask: multipliers of dropout, or NULL. */
GG_KERNEL_BODY void add_row(enum gg_precision stored, const void *x, const void *branch, const float *bias,
                            const float *mask, void *y, int64_t width) {
    if (mask != NULL) {
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            gg_store(stored, y, c,
                     gg_load(stored, x, c) +
                         (gg_load(stored, branch, c) + (bias != NULL ? bias[c] : 0)) * mask[c]);
    } else {
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            gg_store(stored, y, c,
                     gg_load(stored, x, c) + gg_load(stored, branch, c) + (bias != NULL ? bias[c] : 0));
    }
}

void gg_residual_add_row(enum gg_precision stored, const void *x, const void *branch, const float *bias,
                         const float *mask, void *y, int64_t width) {
    if (bias != NULL)
        GG_SPECIALISE(add_row, stored, x, branch, bias, mask, y, width);
    else
        GG_SPECIALISE(add_row, stored, x, branch, NULL, mask, y, width);
}

void gg_residual_add(enum gg_precision stored, const void *x, const void *branch, const float *bias,
                     const struct gg_dropout_rows *rows, void *y, int64_t tokens, int64_t width,
                     void *workspace) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        float *mask = NULL;
        if (rows->dropout.threshold > 0) {
            mask = (float *)workspace + omp_get_thread_num() * width;
            gg_dropout_row(rows, t, width, mask);
        }
        gg_residual_add_row(stored, gg_at(stored, x, t * width), gg_at(stored, branch, t * width), bias, mask,
                            gg_at(stored, y, t * width), width);
    }
}

GG_KERNEL_BODY void multiply_row(enum gg_precision stored, const void *x, const float *mask, void *y,
                                 int64_t width) {
#pragma omp simd
    for (int64_t c = 0; c < width; c++)
        gg_store(stored, y, c, gg_load(stored, x, c) * mask[c]);
}

void gg_dropout_apply(enum gg_precision stored, const void *x, const struct gg_dropout_rows *rows, void *y,
                      int64_t tokens, int64_t width, void *workspace) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        float *mask = (float *)workspace + omp_get_thread_num() * width;
        gg_dropout_row(rows, t, width, mask);
        GG_SPECIALISE(multiply_row, stored, gg_at(stored, x, t * width), mask, gg_at(stored, y, t * width),
                      width);
    }
}
