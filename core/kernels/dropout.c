#include "core/kernels/dropout.h"

#include "core/base/random.h"

#include <math.h>

enum { LANES = 8 }; /* elements served by one random block: 128 bits / 16 */

struct gg_dropout gg_dropout_make(double p, uint64_t seed) {
    const uint32_t threshold = (uint32_t)lrint(p * 65536);
    return (struct gg_dropout){seed, threshold, 65536.0f / (float)(65536 - threshold)};
}

static void whole_blocks(const struct gg_dropout *dropout, uint32_t site, uint64_t block, int64_t count,
                         float *restrict mask) {
    const uint64_t stream = GG_STREAM(GG_STREAM_DROPOUT, site);
    const uint32_t threshold = dropout->threshold;
    const float scale = dropout->scale;
#pragma omp simd
    for (int64_t b = 0; b < count; b++) {
        uint32_t bits[4];
        gg_random_block(dropout->seed, stream, block + (uint64_t)b, bits);
        for (int i = 0; i < 4; i++) {
            mask[b * LANES + 2 * i] = (bits[i] & 0xffffu) < threshold ? 0 : scale;
            mask[b * LANES + 2 * i + 1] = (bits[i] >> 16) < threshold ? 0 : scale;
        }
    }
}

void gg_dropout_mask(const struct gg_dropout *dropout, uint32_t site, uint64_t first, int64_t count,
                     float *mask) {
    while (count > 0) {
        const int64_t skip = (int64_t)(first % LANES);
        if (skip == 0 && count >= LANES) {
            const int64_t blocks = count / LANES;
            whole_blocks(dropout, site, first / LANES, blocks, mask);
            first += (uint64_t)(blocks * LANES);
            mask += blocks * LANES;
            count -= blocks * LANES;
        } else {
            float block[LANES];
            whole_blocks(dropout, site, first / LANES, 1, block);
            int64_t taken = LANES - skip < count ? LANES - skip : count;
            for (int64_t i = 0; i < taken; i++)
                mask[i] = block[skip + i];
            first += (uint64_t)taken;
            mask += taken;
            count -= taken;
        }
    }
}

void gg_dropout_row(const struct gg_dropout_rows *rows, int64_t t, int64_t width, float *mask) {
    const uint64_t sample = rows->sample_ids[t / rows->time], position = (uint64_t)(t % rows->time);
    const uint64_t token = sample * (uint64_t)rows->context + position;
    gg_dropout_mask(&rows->dropout, rows->site,
                    token * (uint64_t)rows->whole_width + (uint64_t)rows->first_feature, width, mask);
}
