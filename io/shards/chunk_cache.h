/* Decompressed chunks of token shards, the least recently used one replaced. For one thread at a time. All
 * local.
 */
#ifndef GG_IO_SHARDS_CHUNK_CACHE_H
#define GG_IO_SHARDS_CHUNK_CACHE_H

#include "io/shards/shard_set.h"

typedef struct gg_chunk_cache gg_chunk_cache;

/* Memory a cache of that many chunks will take; never more chunks than the set has. Of a set of shards with
 * ids of so many bytes, however large it is, at most. */
size_t gg_chunk_cache_bytes(const struct gg_shard_set *set, int64_t chunks);
size_t gg_chunk_cache_most_bytes(int token_bytes, int64_t chunks);

/* Allocates. The set must outlive the cache. GG_RESOURCE when there is no memory. */
gg_status gg_chunk_cache_create(const struct gg_shard_set *set, int64_t chunks,
                                gg_chunk_cache **cache) GG_MUST_USE;
void gg_chunk_cache_destroy(gg_chunk_cache **cache);

/* Copies tokens of a shard, reading the chunks that are not there.
 *   first, count [in]   a range of the shard's tokens
 *   tokens       [out]  (count)
 * Errors as gg_shard_read_chunk. */
gg_status gg_chunk_cache_copy(gg_chunk_cache *cache, int64_t shard, int64_t first, int64_t count,
                              int32_t *tokens) GG_MUST_USE;

#endif
