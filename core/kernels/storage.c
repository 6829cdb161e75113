#include "core/kernels/storage.h"

void gg_bf16_from_floats(const float *values, gg_bf16 *rounded, int64_t count) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        rounded[i] = gg_bf16_round(values[i]);
}

void gg_floats_from_bf16(const gg_bf16 *stored, float *values, int64_t count) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        values[i] = gg_bf16_value(stored[i]);
}
