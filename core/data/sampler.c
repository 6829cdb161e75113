#include "core/data/sampler.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <math.h>
#include <stdlib.h>

/* Rounds come in pairs, one per half. Four pairs leave no structure that shows in small domains. */
enum { FEISTEL_PAIRS = 4 };

static uint64_t feistel(uint64_t key, uint64_t a, uint64_t b, uint64_t index) {
    uint64_t left = index / b, right = index % b;
    for (uint32_t pair = 0; pair < FEISTEL_PAIRS; pair++) {
        left = (left + gg_random_bits(key, GG_STREAM(GG_STREAM_ORDER, 2 * pair), right) % a) % a;
        right = (right + gg_random_bits(key, GG_STREAM(GG_STREAM_ORDER, 2 * pair + 1), left) % b) % b;
    }
    return left * b + right;
}

uint64_t gg_permute(uint64_t key, uint64_t count, uint64_t index) {
    GG_ASSERT(index < count && count <= (uint64_t)1 << 52);
    uint64_t a = (uint64_t)sqrt((double)count);
    if (a * a < count)
        a++;
    const uint64_t b = (count + a - 1) / a;
    do
        index = feistel(key, a, b, index);
    while (index >= count);
    return index;
}

gg_status gg_sampler_init(struct gg_sampler *sampler, const int64_t *shard_tokens, int64_t shards,
                          int64_t context, uint64_t seed, bool shuffle) {
    GG_ASSERT(context > 0 && shards >= 0);
    *sampler = (struct gg_sampler){.context = context,
                                   .seed = seed,
                                   .shuffle = shuffle,
                                   .block_tokens = GG_SAMPLER_BLOCK_TOKENS,
                                   .shards = shards};
    sampler->first_window = gg_malloc(((size_t)shards + 1) * sizeof *sampler->first_window);
    sampler->first_window[0] = 0;
    int64_t longest = 0;
    for (int64_t i = 0; i < shards; i++) {
        const int64_t windows = shard_tokens[i] > 0 ? (shard_tokens[i] - 1) / context : 0;
        sampler->first_window[i + 1] = sampler->first_window[i] + windows;
        longest = shard_tokens[i] > longest ? shard_tokens[i] : longest;
    }
    if (sampler->first_window[shards] > 0)
        return GG_OK;
    gg_sampler_free(sampler);
    return gg_fail(GG_BAD_DATA,
                   "no shard holds a sample of %lld + 1 tokens (the longest has %lld): shorten "
                   "model.context or prepare more text",
                   (long long)context, (long long)longest);
}

void gg_sampler_free(struct gg_sampler *sampler) {
    free(sampler->first_window);
    sampler->first_window = NULL;
    sampler->shards = 0;
}

int64_t gg_sampler_samples(const struct gg_sampler *sampler) {
    return sampler->first_window[sampler->shards];
}

/* The pool that a position of an epoch falls into. The first `larger` pools have base + 1 blocks, the others
 * `base`; what is left over after the last whole block is in the last pool. */
struct pool {
    uint64_t number;
    uint64_t first_block; /* in the permuted order of blocks */
    uint64_t first, windows;
};

static struct pool find_pool(uint64_t samples, uint64_t block_windows, uint64_t position) {
    const uint64_t blocks = samples / block_windows;
    const uint64_t pools = blocks > 0 ? (blocks + GG_SAMPLER_POOL_BLOCKS - 1) / GG_SAMPLER_POOL_BLOCKS : 1;
    const uint64_t base = blocks / pools, larger = blocks % pools;
    const uint64_t border = larger * (base + 1) * block_windows;
    struct pool pool;
    if (position < border) {
        pool.number = position / ((base + 1) * block_windows);
        pool.first_block = pool.number * (base + 1);
        pool.windows = (base + 1) * block_windows;
    } else {
        pool.number = base > 0 ? larger + (position - border) / (base * block_windows) : 0;
        if (pool.number > pools - 1)
            pool.number = pools - 1;
        pool.first_block = larger + pool.number * base;
        pool.windows = base * block_windows;
    }
    pool.first = pool.first_block * block_windows;
    if (pool.number == pools - 1)
        pool.windows = samples - pool.first;
    return pool;
}

static uint64_t shuffled(const struct gg_sampler *sampler, uint64_t epoch, uint64_t position) {
    const uint64_t samples = (uint64_t)gg_sampler_samples(sampler);
    const int64_t fitting = sampler->block_tokens / sampler->context;
    const uint64_t block_windows = fitting > 0 ? (uint64_t)fitting : 1;
    const uint64_t blocks = samples / block_windows;
    const struct pool pool = find_pool(samples, block_windows, position);

    /* Key 0 of an epoch permutes the blocks, key 1 + n the windows of pool n. */
    const uint64_t stream = GG_STREAM(GG_STREAM_ORDER, epoch);
    const uint64_t pool_key = gg_random_bits(sampler->seed, stream, 1 + pool.number);
    const uint64_t within = gg_permute(pool_key, pool.windows, position - pool.first);
    const uint64_t slot = pool.first_block + within / block_windows;
    const uint64_t block =
        slot < blocks ? gg_permute(gg_random_bits(sampler->seed, stream, 0), blocks, slot) : slot;
    return block * block_windows + within % block_windows;
}

void gg_sampler_locate(const struct gg_sampler *sampler, uint64_t sample, int64_t *shard, int64_t *offset) {
    const uint64_t samples = (uint64_t)gg_sampler_samples(sampler);
    uint64_t position = sample % samples;
    if (sampler->shuffle)
        position = shuffled(sampler, sample / samples, position);
    const int64_t window = (int64_t)position;
    int64_t low = 0, high = sampler->shards; /* first_window[low] <= window < first_window[high] */
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (sampler->first_window[middle] <= window)
            low = middle;
        else
            high = middle;
    }
    *shard = low;
    *offset = (window - sampler->first_window[low]) * sampler->context;
}
