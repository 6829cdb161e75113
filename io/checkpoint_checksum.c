#include "io/checkpoint_checksum.h"

#include "io/tensor_part.h"

#include <string.h>

static inline uint64_t mix(uint64_t z) {
    z ^= z >> 33;
    z *= 0xff51afd7ed558ccdu;
    z ^= z >> 33;
    z *= 0xc4ceb9fe1a85ec53u;
    z ^= z >> 33;
    return z;
}

uint64_t gg_checksum_run(uint64_t first, const float *values, int64_t count) {
    uint64_t sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        sum += mix(((uint64_t)bits << 32) + first + (uint64_t)i);
    }
    return sum;
}

uint64_t gg_checksum_part(const struct gg_parameter_table *table, const struct gg_parameter *p,
                          const float *values) {
    if (!gg_parameter_owned(table, p))
        return 0;
    const struct gg_tensor_part part = gg_tensor_part(table, p);
    uint64_t sum = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum)
    for (int64_t r = 0; r < part.rows; r++) {
        const float *row = values + p->offset + r * p->local_columns;
        const int64_t whole = (part.first_row + r) * p->columns + part.first_column;
        for (int64_t c = 0, block = 0; c < part.columns; c += part.block, block++) {
            const int64_t length = part.columns - c < part.block ? part.columns - c : part.block;
            sum += gg_checksum_run((uint64_t)(whole + block * part.stride), row + c, length);
        }
    }
    return sum;
}
