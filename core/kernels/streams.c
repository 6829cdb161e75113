#include "core/kernels/streams.h"

#include "core/kernels/storage.h"

enum { LANES = 16, LINES = 4, BLOCK = LANES * LINES };

float gg_stream_read(const float *a, int64_t count) {
    const int64_t whole = count / BLOCK * BLOCK;
    float total = 0;
#pragma omp parallel reduction(+ : total)
    {
        /* As many sums as hide the additions' latency. */
        gg_floats16 sums[LINES] = {{0}};
#pragma omp for schedule(static)
        for (int64_t i = 0; i < whole; i += BLOCK)
            for (int line = 0; line < LINES; line++)
                sums[line] += gg_load16(GG_PRECISION_FP32, a + i + line * LANES);
        const gg_floats16 sum = sums[0] + sums[1] + sums[2] + sums[3];
        for (int lane = 0; lane < LANES; lane++)
            total += sum[lane];
    }
    for (int64_t i = whole; i < count; i++)
        total += a[i];
    return total;
}

void gg_stream_write(float *a, float s, int64_t count) {
    const int64_t whole = count / LANES * LANES;
#pragma omp parallel
    {
        const gg_floats16 value = (gg_floats16){0} + s;
#pragma omp for schedule(static)
        for (int64_t i = 0; i < whole; i += LANES)
            gg_stream16(a + i, value);
        gg_stream_end();
    }
    for (int64_t i = whole; i < count; i++)
        a[i] = s;
}

void gg_stream_triad(float *a, const float *b, const float *c, float s, int64_t count) {
    const int64_t whole = count / LANES * LANES;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (int64_t i = 0; i < whole; i += LANES)
            gg_stream16(a + i, gg_load16(GG_PRECISION_FP32, b + i) + s * gg_load16(GG_PRECISION_FP32, c + i));
        gg_stream_end();
    }
    for (int64_t i = whole; i < count; i++)
        a[i] = b[i] + s * c[i];
}

/* The lines are in cache when they are written: plain stores. */
void gg_stream_update(float *a, float s, int64_t count) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        a[i] *= s;
}
