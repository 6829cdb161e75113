#include "io/shards/chunk_cache.h"

#include "core/base/memory.h"

#include <stdlib.h>

struct slot {
    int64_t shard, chunk; /* shard < 0: empty */
    uint64_t used;        /* clock of the last use */
    char *tokens;
};

struct gg_chunk_cache {
    const struct gg_shard_set *set;
    struct slot *slots;
    int64_t count;
    uint64_t clock;
    void *memory, *scratch;
};

/* Bytes of an id where they are the most: all shards have one vocabulary, but who wrote them decided on 16 or
 * 32 bits. And no more chunks than there are. */
static int widest(const struct gg_shard_set *set, int64_t *chunks) {
    int64_t all = 0;
    int token_bytes = 0;
    for (int64_t i = 0; i < set->count; i++) {
        const struct gg_shard_info *info = gg_shard_info(set->shards[i]);
        token_bytes = info->token_bytes > token_bytes ? info->token_bytes : token_bytes;
        all += info->chunks;
    }
    *chunks = *chunks < all ? *chunks : all;
    return token_bytes;
}

static size_t chunk_bytes(int token_bytes) {
    return (size_t)GG_SHARD_CHUNK_TOKENS * (size_t)token_bytes;
}

size_t gg_chunk_cache_most_bytes(int token_bytes, int64_t chunks) {
    return (size_t)chunks * (chunk_bytes(token_bytes) + sizeof(struct slot)) +
           gg_shard_scratch_bytes(token_bytes);
}

size_t gg_chunk_cache_bytes(const struct gg_shard_set *set, int64_t chunks) {
    const int token_bytes = widest(set, &chunks);
    return gg_chunk_cache_most_bytes(token_bytes, chunks);
}

gg_status gg_chunk_cache_create(const struct gg_shard_set *set, int64_t chunks, gg_chunk_cache **cache) {
    const int token_bytes = widest(set, &chunks);
    const size_t chunk = chunk_bytes(token_bytes);
    gg_chunk_cache *c = gg_calloc(1, sizeof *c);
    c->set = set;
    c->count = chunks;
    c->slots = gg_calloc((size_t)chunks + 1, sizeof *c->slots);
    gg_status status = gg_try_malloc((size_t)chunks * chunk, "the cache of token chunks", &c->memory);
    if (status == GG_OK)
        status = gg_try_malloc(gg_shard_scratch_bytes(token_bytes), "a compressed chunk", &c->scratch);
    for (int64_t i = 0; i < chunks && status == GG_OK; i++)
        c->slots[i] = (struct slot){.shard = -1, .tokens = (char *)c->memory + (size_t)i * chunk};
    if (status != GG_OK)
        gg_chunk_cache_destroy(&c);
    *cache = c;
    return status;
}

void gg_chunk_cache_destroy(gg_chunk_cache **cache) {
    if (*cache == NULL)
        return;
    free((*cache)->scratch);
    free((*cache)->memory);
    free((*cache)->slots);
    free(*cache);
    *cache = NULL;
}

static gg_status find_chunk(gg_chunk_cache *cache, int64_t shard, int64_t chunk, const void **tokens) {
    struct slot *oldest = &cache->slots[0];
    cache->clock++;
    for (int64_t i = 0; i < cache->count; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->shard == shard && slot->chunk == chunk) {
            slot->used = cache->clock;
            *tokens = slot->tokens;
            return GG_OK;
        }
        if (slot->used < oldest->used)
            oldest = slot;
    }
    oldest->shard = -1; /* whatever a failed read leaves there is not to be used */
    GG_TRY(gg_shard_read_chunk(cache->set->shards[shard], chunk, cache->scratch, oldest->tokens));
    oldest->shard = shard;
    oldest->chunk = chunk;
    oldest->used = cache->clock;
    *tokens = oldest->tokens;
    return GG_OK;
}

gg_status gg_chunk_cache_copy(gg_chunk_cache *cache, int64_t shard, int64_t first, int64_t count,
                              int32_t *tokens) {
    const struct gg_shard_info *info = gg_shard_info(cache->set->shards[shard]);
    GG_ASSERT(first >= 0 && count >= 0 && first + count <= info->tokens);
    while (count > 0) {
        const int64_t chunk = first / GG_SHARD_CHUNK_TOKENS, offset = first % GG_SHARD_CHUNK_TOKENS;
        const int64_t rest = GG_SHARD_CHUNK_TOKENS - offset, part = count < rest ? count : rest;
        const void *from;
        GG_TRY(find_chunk(cache, shard, chunk, &from));
        if (info->token_bytes == 2)
            for (int64_t i = 0; i < part; i++)
                tokens[i] = ((const uint16_t *)from)[offset + i];
        else
            for (int64_t i = 0; i < part; i++)
                tokens[i] = (int32_t)((const uint32_t *)from)[offset + i];
        tokens += part;
        first += part;
        count -= part;
    }
    return GG_OK;
}
