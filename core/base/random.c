#include "core/base/random.h"

#include <math.h>

double gg_random_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
    return (double)(gg_random_bits(seed, stream, index) >> 11) * 0x1p-53;
}

double gg_random_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t block[4];
    gg_random_block(seed, stream, index, block);
    const double pi = 3.14159265358979323846;
    const double u = ((double)block[0] + 0.5) * 0x1p-32, v = (double)block[1] * 0x1p-32;
    return sqrt(-2.0 * log(u)) * cos(2.0 * pi * v);
}
