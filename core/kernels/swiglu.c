#include "core/kernels/swiglu.h"

#include "core/kernels/vector_math.h"

/* Elements that are widened, worked on and narrowed at a time, as in activation.c; and that a thread takes. */
enum { SLICE = 64, SHARE = 16 * SLICE };

/* Written once: what the backward pass recomputes has the bits of the forward pass. */
static inline float sigmoid(float v) {
    return 1.0f / (1.0f + gg_expf(-v));
}

GG_KERNEL_BODY void swiglu_slice(enum gg_precision stored, const void *gate, const void *up, void *y,
                                 int64_t count) {
    float gates[SLICE], ups[SLICE];
    gg_load_floats(stored, gate, count, gates);
    gg_load_floats(stored, up, count, ups);
#pragma omp simd
    for (int64_t c = 0; c < count; c++)
        gates[c] = gates[c] * sigmoid(gates[c]) * ups[c];
    gg_store_floats(stored, y, count, gates);
}

GG_KERNEL_BODY void swiglu_share(enum gg_precision stored, const void *gate, const void *up, void *y,
                                 int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i += SLICE) {
        const void *gates = gg_at(stored, gate, i), *ups = gg_at(stored, up, i);
        if (to - i >= SLICE)
            swiglu_slice(stored, gates, ups, gg_at(stored, y, i), SLICE);
        else
            swiglu_slice(stored, gates, ups, gg_at(stored, y, i), to - i);
    }
}

void gg_swiglu(enum gg_precision stored, const void *gate, const void *up, void *y, int64_t tokens,
               int64_t width) {
    const int64_t count = tokens * width;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i += SHARE)
        GG_SPECIALISE(swiglu_share, stored, gate, up, y, i, i + SHARE < count ? i + SHARE : count);
}

GG_KERNEL_BODY void backward_slice(enum gg_precision stored, const void *gate, const void *up,
                                   const void *d_y, void *d_gate, void *d_up, void *y, int64_t count) {
    float gates[SLICE], ups[SLICE], gradients[SLICE];
    gg_load_floats(stored, gate, count, gates);
    gg_load_floats(stored, up, count, ups);
    gg_load_floats(stored, d_y, count, gradients);
    float values[SLICE];
#pragma omp simd
    for (int64_t c = 0; c < count; c++) {
        const float v = gates[c], u = ups[c], d = gradients[c], s = sigmoid(v);
        values[c] = v * s * u;
        gates[c] = d * u * s * (1.0f + v * (1.0f - s));
        ups[c] = d * (v * s);
    }
    gg_store_floats(stored, d_gate, count, gates);
    gg_store_floats(stored, d_up, count, ups);
    if (y != NULL)
        gg_store_floats(stored, y, count, values);
}

GG_KERNEL_BODY void backward_share(enum gg_precision stored, const void *gate, const void *up,
                                   const void *d_y, void *d_gate, void *d_up, void *y, int64_t from,
                                   int64_t to) {
    for (int64_t i = from; i < to; i += SLICE) {
        const void *gates = gg_at(stored, gate, i), *ups = gg_at(stored, up, i);
        const void *gradients = gg_at(stored, d_y, i);
        void *d_gates = gg_at(stored, d_gate, i), *d_ups = gg_at(stored, d_up, i);
        void *values = y != NULL ? gg_at(stored, y, i) : NULL;
        if (to - i >= SLICE)
            backward_slice(stored, gates, ups, gradients, d_gates, d_ups, values, SLICE);
        else
            backward_slice(stored, gates, ups, gradients, d_gates, d_ups, values, to - i);
    }
}

void gg_swiglu_backward(enum gg_precision stored, const void *gate, const void *up, const void *d_y,
                        void *d_gate, void *d_up, void *y, int64_t tokens, int64_t width) {
    const int64_t count = tokens * width;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i += SHARE)
        GG_SPECIALISE(backward_share, stored, gate, up, d_y, d_gate, d_up, y, i,
                      i + SHARE < count ? i + SHARE : count);
}
