#include "tests/reference/reference_dropout.h"

#include "core/base/random.h"

double reference_dropout_multiplier(uint64_t seed, uint32_t site, uint32_t threshold, uint64_t element) {
    uint32_t bits[4];
    gg_random_block(seed, GG_STREAM(GG_STREAM_DROPOUT, site), element / 8, bits);
    const uint64_t lane = element % 8;
    const uint32_t drawn = bits[lane / 2] >> 16 * (lane % 2) & 0xffff;
    return drawn < threshold ? 0 : 1 / (1 - threshold / 65536.0);
}

uint64_t reference_dropout_feature(uint64_t sample, int64_t position, int64_t feature, int64_t context,
                                   int64_t width) {
    return (sample * (uint64_t)context + (uint64_t)position) * (uint64_t)width + (uint64_t)feature;
}

uint64_t reference_dropout_probability(uint64_t sample, int64_t head, int64_t query, int64_t key,
                                       int64_t heads, int64_t context) {
    const uint64_t row = (sample * (uint64_t)heads + (uint64_t)head) * (uint64_t)context + (uint64_t)query;
    return row * (uint64_t)context + (uint64_t)key;
}
