#include "core/kernels/activation.h"

#include "core/kernels/vector_math.h"

#include <stdbool.h>

#define ROOT_2_OVER_PI 0.7978845608028654f
#define CUBIC          0.044715f

/* So many elements are widened, worked on and narrowed at a time: compilers vectorise that better than a loop
 * over both widths. */
enum { SLICE = 64 };

/* (1 + tanh(z)) / 2 = 1 / (1 + exp(-2 z)), for the inner z of gelu. Written once: what the backward pass
 * recomputes has the bits of the forward pass. */
static inline float gate(float v) {
    return 1.0f / (1.0f + gg_expf(-2 * ROOT_2_OVER_PI * (v + CUBIC * v * v * v)));
}

GG_KERNEL_BODY void gelu_slice(enum gg_precision stored, const void *u, const float *bias, void *y,
                               int64_t count) {
    float values[SLICE];
    gg_load_floats(stored, u, count, values);
#pragma omp simd
    for (int64_t c = 0; c < count; c++) {
        const float v = values[c] + bias[c];
        values[c] = v * gate(v);
    }
    gg_store_floats(stored, y, count, values);
}

void gg_gelu(enum gg_precision stored, const void *u, const float *bias, void *y, int64_t tokens,
             int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c += SLICE) {
            const void *from = gg_at(stored, u, t * width + c);
            void *to = gg_at(stored, y, t * width + c);
            if (width - c >= SLICE)
                GG_SPECIALISE(gelu_slice, stored, from, bias + c, to, SLICE);
            else
                GG_SPECIALISE(gelu_slice, stored, from, bias + c, to, width - c);
        }
}

/* gelu'(v) = g + v g (1 - g) 2 sqrt(2/pi) (1 + 3 * 0.044715 v^2), g being the gate */
GG_KERNEL_BODY void gelu_backward_slice(enum gg_precision stored, const void *u, const float *bias,
                                        const void *d_y, void *d_u, void *y, int64_t count) {
    float values[SLICE], gradients[SLICE];
    gg_load_floats(stored, u, count, values);
    gg_load_floats(stored, d_y, count, gradients);
#pragma omp simd
    for (int64_t c = 0; c < count; c++) {
        const float v = values[c] + bias[c], g = gate(v);
        const float slope = 2 * ROOT_2_OVER_PI * (1.0f + 3.0f * CUBIC * v * v);
        gradients[c] *= g + v * g * (1.0f - g) * slope;
        values[c] = v * g;
    }
    gg_store_floats(stored, d_u, count, gradients);
    if (y != NULL)
        gg_store_floats(stored, y, count, values);
}

void gg_gelu_backward(enum gg_precision stored, const void *u, const float *bias, const void *d_y, void *d_u,
                      void *y, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c += SLICE) {
            const int64_t at = t * width + c;
            const void *from = gg_at(stored, u, at), *d_from = gg_at(stored, d_y, at);
            void *d_to = gg_at(stored, d_u, at), *to = y != NULL ? gg_at(stored, y, at) : NULL;
            if (width - c >= SLICE)
                GG_SPECIALISE(gelu_backward_slice, stored, from, bias + c, d_from, d_to, to, SLICE);
            else
                GG_SPECIALISE(gelu_backward_slice, stored, from, bias + c, d_from, d_to, to, width - c);
        }
}
