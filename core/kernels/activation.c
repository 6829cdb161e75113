#include "core/kernels/activation.h"

#include "core/kernels/vector_math.h"

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

/* gelu_tanh'(v) = g + v g (1 - g) 2 sqrt(2/pi) (1 + 3 * 0.044715 v^2), g being the gate */
static inline float gelu_tanh_backward(float v, float d, float *y) {
    const float g = gate(v);
    const float slope = 2 * ROOT_2_OVER_PI * (1.0f + 3.0f * CUBIC * v * v);
    *y = v * g;
    return d * (g + v * g * (1.0f - g) * slope);
}

/* gelu'(v) = Phi(v) + v Phi'(v) */
static inline float gelu_backward(float v, float d, float *y) {
    float density;
    const float phi = gg_normalf(v, &density);
    *y = v * phi;
    return d * (phi + v * density);
}

/* Where v is not a number, neither are y and d_u. */
static inline float relu_backward(float v, float d, float *y) {
    *y = v < 0 ? 0 : v;
    return v <= 0 ? 0 : v == v ? d : v;
}

/* Of one element, d_u; y beside it. */
static inline float element_backward(enum gg_activation kind, float v, float d, float *y) {
    switch (kind) {
    case GG_ACTIVATION_GELU_TANH:
        return gelu_tanh_backward(v, d, y);
    case GG_ACTIVATION_GELU:
        return gelu_backward(v, d, y);
    case GG_ACTIVATION_RELU:
    default:
        return relu_backward(v, d, y);
    }
}

static inline float element(enum gg_activation kind, float v) {
    float y, density;
    switch (kind) {
    case GG_ACTIVATION_GELU_TANH:
        return v * gate(v);
    case GG_ACTIVATION_GELU:
        return v * gg_normalf(v, &density);
    case GG_ACTIVATION_RELU:
    default:
        relu_backward(v, 0, &y);
        return y;
    }
}

/* Calls a body with its precision and kind as constants. */
#define SPECIALISE(body, kind, stored, ...)                                                                  \
    ((kind) == GG_ACTIVATION_GELU_TANH ? GG_SPECIALISE(body, stored, GG_ACTIVATION_GELU_TANH, __VA_ARGS__)   \
     : (kind) == GG_ACTIVATION_GELU    ? GG_SPECIALISE(body, stored, GG_ACTIVATION_GELU, __VA_ARGS__)        \
                                       : GG_SPECIALISE(body, stored, GG_ACTIVATION_RELU, __VA_ARGS__))

/* Where a slice's biases stand; zeros where there are none. */
static const float *bias_at(const float *bias, int64_t c) {
    static const float none[SLICE];
    return bias != NULL ? bias + c : none;
}

GG_KERNEL_BODY void slice(enum gg_precision stored, enum gg_activation kind, const void *u, const float *bias,
                          void *y, int64_t count) {
    float values[SLICE];
    gg_load_floats(stored, u, count, values);
#pragma omp simd
    for (int64_t c = 0; c < count; c++) {
        const float v = values[c] + bias[c];
        values[c] = element(kind, v);
    }
    gg_store_floats(stored, y, count, values);
}

GG_KERNEL_BODY void row(enum gg_precision stored, enum gg_activation kind, const void *u, const float *bias,
                        void *y, int64_t width) {
    for (int64_t c = 0; c < width; c += SLICE) {
        const void *from = gg_at(stored, u, c);
        void *to = gg_at(stored, y, c);
        if (width - c >= SLICE)
            slice(stored, kind, from, bias_at(bias, c), to, SLICE);
        else
            slice(stored, kind, from, bias_at(bias, c), to, width - c);
    }
}

void gg_activation_apply(enum gg_activation kind, enum gg_precision stored, const void *u, const float *bias,
                         void *y, int64_t tokens, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        SPECIALISE(row, kind, stored, gg_at(stored, u, t * width), bias, gg_at(stored, y, t * width), width);
}

GG_KERNEL_BODY void slice_backward(enum gg_precision stored, enum gg_activation kind, const void *u,
                                   const float *bias, const void *d_y, void *d_u, void *y, int64_t count) {
    float values[SLICE], gradients[SLICE];
    gg_load_floats(stored, u, count, values);
    gg_load_floats(stored, d_y, count, gradients);
#pragma omp simd
    for (int64_t c = 0; c < count; c++) {
        const float v = values[c] + bias[c];
        gradients[c] = element_backward(kind, v, gradients[c], &values[c]);
    }
    gg_store_floats(stored, d_u, count, gradients);
    if (y != NULL)
        gg_store_floats(stored, y, count, values);
}

GG_KERNEL_BODY void row_backward(enum gg_precision stored, enum gg_activation kind, const void *u,
                                 const float *bias, const void *d_y, void *d_u, void *y, int64_t width) {
    for (int64_t c = 0; c < width; c += SLICE) {
        const void *from = gg_at(stored, u, c), *d_from = gg_at(stored, d_y, c);
        void *d_to = gg_at(stored, d_u, c), *to = y != NULL ? gg_at(stored, y, c) : NULL;
        if (width - c >= SLICE)
            slice_backward(stored, kind, from, bias_at(bias, c), d_from, d_to, to, SLICE);
        else
            slice_backward(stored, kind, from, bias_at(bias, c), d_from, d_to, to, width - c);
    }
}

void gg_activation_backward(enum gg_activation kind, enum gg_precision stored, const void *u,
                            const float *bias, const void *d_y, void *d_u, void *y, int64_t tokens,
                            int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        SPECIALISE(row_backward, kind, stored, gg_at(stored, u, t * width), bias,
                   gg_at(stored, d_y, t * width), gg_at(stored, d_u, t * width),
                   y != NULL ? gg_at(stored, y, t * width) : NULL, width);
}
