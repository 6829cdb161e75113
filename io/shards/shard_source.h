/* Samples out of token shards: a source (core/data/source.h) over shards in the sampler's order (core/data/sampler.h),
 * through a cache of chunks. Opening calls HDF5 (main thread only); reading does not. All local.
 */
#ifndef GG_IO_SHARDS_SHARD_SOURCE_H
#define GG_IO_SHARDS_SHARD_SOURCE_H

#include "core/base/options.h"
#include "core/data/source.h"
#include "io/shards/shard_set.h"

#include <stdbool.h>

/* Opens the shards; the cache is allocated by the source's reserve().
 *   paths   [in]  shards in corpus order, as gg_shards_expand() gives them; copied
 *   context [in]  tokens of a sequence, T
 *   seed    [in]  of the order
 *   shuffle [in]  true: training, epochs without end. false: validation, samples 0 .. n-1 in order, once
 *   source  [out] owned by whoever closes it
 * GG_STORAGE, GG_BAD_DATA: a shard is missing or damaged, shards of different tokenizers, no shard long
 * enough for a sample. */
gg_status gg_shard_source_open(const struct gg_text_list *paths, int64_t context, uint64_t seed, bool shuffle,
                               struct gg_source *source) GG_MUST_USE;

/* The most bytes that reading any shards takes which gridgpt writes. */
size_t gg_shard_source_most_bytes(int64_t vocab);

#endif
