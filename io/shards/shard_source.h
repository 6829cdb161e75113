/* Samples out of token shards: a source (core/data/source.h) over shards in the sampler's order (core/data/sampler.h),
 * through a cache of chunks. Opening calls HDF5 (main thread only); reading does not. All local.
 */
#ifndef GG_IO_SHARDS_SHARD_SOURCE_H
#define GG_IO_SHARDS_SHARD_SOURCE_H

#include "core/base/options.h"
#include "core/data/source.h"
#include "io/shards/shard_set.h"

#include <stdbool.h>

typedef struct gg_shard_source gg_shard_source;

/* Opens the shards and allocates the cache.
 *   paths   [in]  shards in corpus order, as gg_shards_expand() gives them; copied
 *   context [in]  tokens of a sequence, T
 *   seed    [in]  of the order
 *   shuffle [in]  true: training, epochs without end. false: validation, samples 0 .. n-1 in order, once
 * GG_STORAGE, GG_BAD_DATA: a shard is missing or damaged, shards of different tokenizers, no shard long
 * enough for a sample. GG_RESOURCE. */
gg_status gg_shard_source_open(const struct gg_text_list *paths, int64_t context, uint64_t seed, bool shuffle,
                               gg_shard_source **source) GG_MUST_USE;
void gg_shard_source_close(gg_shard_source **source);

/* The interface; valid as long as the source. */
struct gg_source gg_shard_source_of(gg_shard_source *source);

const struct gg_shard_set *gg_shard_source_set(const gg_shard_source *source);
int64_t gg_shard_source_samples(const gg_shard_source *source); /* per epoch */
size_t gg_shard_source_bytes(const gg_shard_source *source);    /* of the cache */

/* The most that is of any shards that gridgpt writes. */
size_t gg_shard_source_most_bytes(int64_t vocab);

#endif
