#include "core/kernels/positions.h"

#include <math.h>

void gg_rotary_table(float *table, int64_t context, int64_t head_size, double theta) {
    const int64_t half = head_size / 2;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < half; i++) {
        const double frequency = pow(theta, -2.0 * (double)i / (double)head_size);
        for (int64_t t = 0; t < context; t++) {
            table[t * head_size + i] = (float)cos((double)t * frequency);
            table[t * head_size + half + i] = (float)sin((double)t * frequency);
        }
    }
}

/* (a, b) becomes (a cos - b sin, b cos + a sin); y may be x, as a pair depends on no other. */
GG_KERNEL_BODY void rotate_row(enum gg_precision stored, bool back, const void *x, const float *angles,
                               void *y, int64_t heads, int64_t half) {
    for (int64_t h = 0; h < heads; h++) {
        const void *from = gg_at(stored, x, h * 2 * half);
        void *to = gg_at(stored, y, h * 2 * half);
#pragma omp simd
        for (int64_t i = 0; i < half; i++) {
            const float cosine = angles[i], sine = back ? -angles[half + i] : angles[half + i];
            const float a = gg_load(stored, from, i), b = gg_load(stored, from, half + i);
            gg_store(stored, to, i, a * cosine - b * sine);
            gg_store(stored, to, half + i, b * cosine + a * sine);
        }
    }
}

void gg_rotate(enum gg_precision stored, const void *x, const float *table, void *y, int64_t tokens,
               int64_t time, int64_t first, const int32_t *starts, int64_t heads, int64_t head_size,
               bool back) {
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++) {
        const int64_t start = starts != NULL ? starts[t] : 0;
        const float *angles = table + (first + t % time - start) * head_size;
        const void *from = gg_at(stored, x, t * heads * head_size);
        void *to = gg_at(stored, y, t * heads * head_size);
        if (back) {
            GG_SPECIALISE(rotate_row, stored, true, from, angles, to, heads, head_size / 2);
        } else {
            GG_SPECIALISE(rotate_row, stored, false, from, angles, to, heads, head_size / 2);
        }
    }
}

void gg_sinusoids(float *rows, int64_t context, int64_t whole_width, int64_t first_feature, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t c = 0; c < width; c++) {
        const int64_t feature = first_feature + c, even = feature / 2 * 2;
        const double frequency = pow(10000, -(double)even / (double)whole_width);
        for (int64_t t = 0; t < context; t++) {
            const double angle = (double)t * frequency;
            rows[t * width + c] = (float)(feature == even ? sin(angle) : cos(angle));
        }
    }
}
