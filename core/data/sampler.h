/* The order of training samples: which window of tokens is sample number i.
 *
 * A sample is a window of context + 1 tokens (inputs and, shifted by one, targets). Windows start every
 * `context` tokens of a shard and never cross shards, so the last (tokens - 1) % context targets of a shard
 * are not used. Samples count on over epochs: sample i belongs to epoch i / samples_per_epoch.
 *
 * Shuffled, each epoch takes every window once, in an order that is a pure function of (seed, i), found in
 * constant time without a table, so a run resumes from its count of consumed samples alone. Token shards are
 * compressed by chunks, and one uniform permutation would decompress a chunk for every sample. So the order
 * is shuffled on two levels:
 *   - the windows are cut into blocks of about GG_SAMPLER_BLOCK_TOKENS tokens, and the blocks are permuted;
 *   - GG_SAMPLER_POOL_BLOCKS (or a few less) consecutive blocks of that order form a pool, and the windows of
 *     a pool are permuted. The windows left over after the last whole block belong to the last pool.
 * The windows of a pool come from at most GG_SAMPLER_POOL_BLOCKS + 1 places of the corpus, each of at most
 * two chunks; a cache of so many chunks (68 MiB for 16-bit ids) makes each chunk be decompressed once or
 * twice an epoch. A corpus of up to GG_SAMPLER_POOL_BLOCKS blocks is one pool: a uniform permutation.
 *
 * A permutation of n is a Feistel network over Z_a x Z_b, a b >= n, with Philox as round function, walked
 * until it falls into [0, n) (Black and Rogaway 2002, "Ciphers with arbitrary finite domains", section 4).
 * Local.
 */
#ifndef GG_CORE_DATA_SAMPLER_H
#define GG_CORE_DATA_SAMPLER_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define GG_SAMPLER_BLOCK_TOKENS ((int64_t)1 << 20)
#define GG_SAMPLER_POOL_BLOCKS  16

struct gg_sampler {
    int64_t context; /* tokens of an input sequence */
    uint64_t seed;
    bool shuffle;         /* false: windows in order, every epoch */
    int64_t block_tokens; /* GG_SAMPLER_BLOCK_TOKENS; tests take less */
    int64_t shards;
    int64_t *first_window; /* (shards + 1): number of windows before each shard; owned */
};

/* Fills the sampler.
 *   shard_tokens [in]  (shards) tokens of each shard, in corpus order
 * GG_BAD_DATA when no shard has a window. Free with gg_sampler_free. */
gg_status gg_sampler_init(struct gg_sampler *sampler, const int64_t *shard_tokens, int64_t shards,
                          int64_t context, uint64_t seed, bool shuffle) GG_MUST_USE;
void gg_sampler_free(struct gg_sampler *sampler);

/* Windows in the corpus: the samples of an epoch. */
int64_t gg_sampler_samples(const struct gg_sampler *sampler);

/* Where a sample lies.
 *   sample [in]   any number; its epoch is sample / gg_sampler_samples()
 *   shard  [out]  index of the shard
 *   offset [out]  first token of the window in the shard */
void gg_sampler_locate(const struct gg_sampler *sampler, uint64_t sample, int64_t *shard, int64_t *offset);

/* The image of `index` under the permutation of [0, count) with that key. */
uint64_t gg_permute(uint64_t key, uint64_t count, uint64_t index);

#endif
