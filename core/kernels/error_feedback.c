#include "core/kernels/error_feedback.h"

void gg_round_with_errors(const float *values, float *errors, int64_t count, gg_bf16 *rounded) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        const float wanted = values[i] + errors[i];
        rounded[i] = gg_bf16_round(wanted);
        errors[i] = wanted - gg_bf16_value(rounded[i]);
    }
}

void gg_settle_with_errors(float *values, float *errors, int64_t count) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        const float wanted = values[i] + errors[i];
        values[i] = gg_bf16_value(gg_bf16_round(wanted));
        errors[i] = wanted - values[i];
    }
}
