#include "core/kernels/triad.h"

void gg_triad(float *a, const float *b, const float *c, float s, int64_t count) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        a[i] = b[i] + s * c[i];
}
