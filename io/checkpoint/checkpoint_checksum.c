#include "io/checkpoint/checkpoint_checksum_internal.h"

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

uint64_t gg_checksum_piece(const struct gg_parameter_table *table, const struct gg_parameter *p,
                           const struct gg_tensor_piece *piece, const float *values) {
    enum { WORTH_THREADS = 1 << 16 };
    const struct gg_tensor_part part = gg_tensor_part(table, p);
    uint64_t sum = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum) if (piece->rows * piece->columns > WORTH_THREADS)
    for (int64_t r = 0; r < piece->rows; r++) {
        const float *row = values + r * p->local_columns;
        const int64_t index = (part.first_row + piece->row + r) * p->columns;
        for (int64_t c = 0, run; c < piece->columns; c += run) {
            int64_t column;
            run = gg_tensor_run(&part, piece->column + c, piece->columns - c, &column);
            sum += gg_checksum_run((uint64_t)(index + column), row + c, run);
        }
    }
    return sum;
}
