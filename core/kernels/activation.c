#include "core/kernels/activation.h"

#include "core/kernels/vector_math.h"

#include <stdbool.h>

#define ROOT_2_OVER_PI 0.7978845608028654f
#define CUBIC          0.044715f

/* Written once: what the backward pass makes again has the bits of the forward pass. */
static inline float inner_tanh(float v) {
    return gg_tanhf(ROOT_2_OVER_PI * (v + CUBIC * v * v * v));
}

GG_KERNEL_BODY void gelu_row(enum gg_precision stored, const void *u, const float *bias, void *y,
                             int64_t width) {
#pragma omp simd
    for (int64_t c = 0; c < width; c++) {
        const float v = gg_load(stored, u, c) + bias[c];
        gg_store(stored, y, c, 0.5f * v * (1.0f + inner_tanh(v)));
    }
}

void gg_gelu(enum gg_precision stored, const void *u, const float *bias, void *y, int64_t tokens,
             int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        GG_SPECIALISE(gelu_row, stored, gg_at(stored, u, t * width), bias, gg_at(stored, y, t * width),
                      width);
}

/* gelu'(v) = (1 + th)/2 + v/2 (1 - th^2) sqrt(2/pi) (1 + 3 * 0.044715 v^2) */
GG_KERNEL_BODY void gelu_backward_row(enum gg_precision stored, bool again, const void *u, const float *bias,
                                      const void *d_y, void *d_u, void *y, int64_t width) {
#pragma omp simd
    for (int64_t c = 0; c < width; c++) {
        const float v = gg_load(stored, u, c) + bias[c];
        const float th = inner_tanh(v);
        const float slope = ROOT_2_OVER_PI * (1.0f + 3.0f * CUBIC * v * v);
        gg_store(stored, d_u, c,
                 gg_load(stored, d_y, c) * (0.5f * (1.0f + th) + 0.5f * v * (1.0f - th * th) * slope));
        if (again)
            gg_store(stored, y, c, 0.5f * v * (1.0f + th));
    }
}

void gg_gelu_backward(enum gg_precision stored, const void *u, const float *bias, const void *d_y, void *d_u,
                      void *y, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const void *row = gg_at(stored, u, t * width), *d_row = gg_at(stored, d_y, t * width);
        void *d_out = gg_at(stored, d_u, t * width);
        if (y != NULL)
            GG_SPECIALISE(gelu_backward_row, stored, true, row, bias, d_row, d_out,
                          gg_at(stored, y, t * width), width);
        else
            GG_SPECIALISE(gelu_backward_row, stored, false, row, bias, d_row, d_out, NULL, width);
    }
}
