#include "io/shards/shard_source.h"

#include "core/base/memory.h"
#include "core/data/sampler.h"
#include "io/shards/chunk_cache.h"

#include <stdlib.h>

/* A pool of the sampler lies in at most so many chunks at once, and two are for the sample at its border. */
enum { CACHE_CHUNKS = 2 * (GG_SAMPLER_POOL_BLOCKS + 1) + 2 };

struct gg_shard_source {
    struct gg_shard_set set;
    struct gg_sampler sampler;
    gg_chunk_cache *cache;
};

static gg_status make_sampler(gg_shard_source *s, int64_t context, uint64_t seed, bool shuffle) {
    int64_t *tokens = gg_malloc(((size_t)s->set.count + 1) * sizeof *tokens);
    for (int64_t i = 0; i < s->set.count; i++)
        tokens[i] = gg_shard_info(s->set.shards[i])->tokens;
    const gg_status status = gg_sampler_init(&s->sampler, tokens, s->set.count, context, seed, shuffle);
    free(tokens);
    return status;
}

gg_status gg_shard_source_open(const struct gg_text_list *paths, int64_t context, uint64_t seed, bool shuffle,
                               gg_shard_source **source) {
    gg_shard_source *s = gg_calloc(1, sizeof *s);
    gg_status status = gg_shard_set_open(paths, &s->set);
    if (status == GG_OK) {
        status = make_sampler(s, context, seed, shuffle);
        if (status != GG_OK && paths->count > 0)
            status = gg_fail_within(status, "%s%s", paths->items[0], paths->count > 1 ? " and others" : "");
    }
    if (status == GG_OK)
        status = gg_chunk_cache_create(&s->set, CACHE_CHUNKS, &s->cache);
    if (status != GG_OK)
        gg_shard_source_close(&s);
    *source = s;
    return status;
}

void gg_shard_source_close(gg_shard_source **source) {
    if (*source == NULL)
        return;
    gg_chunk_cache_destroy(&(*source)->cache);
    gg_sampler_free(&(*source)->sampler);
    gg_shard_set_close(&(*source)->set);
    free(*source);
    *source = NULL;
}

static gg_status read_sample(void *self, uint64_t sample, int32_t *tokens) {
    gg_shard_source *s = self;
    int64_t shard, offset;
    gg_sampler_locate(&s->sampler, sample, &shard, &offset);
    return gg_chunk_cache_copy(s->cache, shard, offset, s->sampler.context + 1, tokens);
}

struct gg_source gg_shard_source_of(gg_shard_source *s) {
    return (struct gg_source){
        .self = s,
        .context = s->sampler.context,
        .end = s->sampler.shuffle ? UINT64_MAX : (uint64_t)gg_sampler_samples(&s->sampler),
        .read = read_sample,
    };
}

const struct gg_shard_set *gg_shard_source_set(const gg_shard_source *s) {
    return &s->set;
}

int64_t gg_shard_source_samples(const gg_shard_source *s) {
    return gg_sampler_samples(&s->sampler);
}

size_t gg_shard_source_bytes(const gg_shard_source *s) {
    return gg_chunk_cache_bytes(&s->set, CACHE_CHUNKS);
}

size_t gg_shard_source_most_bytes(int64_t vocab) {
    return gg_chunk_cache_most_bytes(gg_shard_token_bytes(vocab), CACHE_CHUNKS);
}
