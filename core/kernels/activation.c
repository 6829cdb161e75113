#include "core/kernels/activation.h"

#include "core/kernels/vector_math.h"

#define ROOT_2_OVER_PI 0.7978845608028654f
#define CUBIC          0.044715f

void gg_bias_gelu(float *u, const float *bias, float *y, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        float *row = u + t * width;
        float *out = y + t * width;
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            const float v = row[c] + bias[c];
            row[c] = v;
            out[c] = 0.5f * v * (1.0f + gg_tanhf(ROOT_2_OVER_PI * (v + CUBIC * v * v * v)));
        }
    }
}

/* gelu'(u) = (1 + th)/2 + u/2 (1 - th^2) sqrt(2/pi) (1 + 3 * 0.044715 u^2) */
void gg_gelu_backward(const float *u, const float *d_y, float *d_u, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const float *row = u + t * width, *d_row = d_y + t * width;
        float *d_out = d_u + t * width;
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            const float v = row[c];
            const float th = gg_tanhf(ROOT_2_OVER_PI * (v + CUBIC * v * v * v));
            const float slope = ROOT_2_OVER_PI * (1.0f + 3.0f * CUBIC * v * v);
            d_out[c] = d_row[c] * (0.5f * (1.0f + th) + 0.5f * v * (1.0f - th * th) * slope);
        }
    }
}
