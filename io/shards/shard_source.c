#include "io/shards/shard_source.h"

#include "core/base/memory.h"
#include "core/data/sampler.h"
#include "io/shards/chunk_cache.h"

#include <stdlib.h>
#include <xxhash.h>

/* A pool of the sampler lies in at most so many chunks at once, and two are for the sample at its border. */
enum { CACHE_CHUNKS = 2 * (GG_SAMPLER_POOL_BLOCKS + 1) + 2 };

struct gg_shard_source {
    struct gg_shard_set set;
    struct gg_sampler sampler;
    gg_chunk_cache *cache;
};

static gg_status make_sampler(struct gg_shard_source *s, int64_t context, uint64_t seed, bool shuffle) {
    int64_t *tokens = gg_malloc(((size_t)s->set.count + 1) * sizeof *tokens);
    for (int64_t i = 0; i < s->set.count; i++)
        tokens[i] = gg_shard_info(s->set.shards[i])->tokens;
    const gg_status status = gg_sampler_init(&s->sampler, tokens, s->set.count, context, seed, shuffle);
    free(tokens);
    return status;
}

static void close_source(void *self) {
    struct gg_shard_source *s = self;
    gg_chunk_cache_destroy(&s->cache);
    gg_sampler_free(&s->sampler);
    gg_shard_set_close(&s->set);
    free(s);
}

static gg_status reserve(void *self) {
    struct gg_shard_source *s = self;
    return s->cache != NULL ? GG_OK : gg_chunk_cache_create(&s->set, CACHE_CHUNKS, &s->cache);
}

static gg_status read_sample(void *self, uint64_t sample, const struct gg_sample *to) {
    struct gg_shard_source *s = self;
    int64_t shard, offset;
    gg_sampler_locate(&s->sampler, sample, &shard, &offset);
    return gg_chunk_cache_copy(s->cache, shard, offset, s->sampler.context + 1, to->tokens);
}

/* Of the shards' order, sizes and tokens. */
static uint64_t data_fingerprint(const struct gg_shard_set *set) {
    uint64_t hash = XXH3_64bits(&set->fingerprint, sizeof set->fingerprint);
    for (int64_t i = 0; i < set->count; i++) {
        const uint64_t shard[2] = {gg_shard_fingerprint(set->shards[i]), hash};
        hash = XXH3_64bits(shard, sizeof shard);
    }
    return hash;
}

static struct gg_source source_of(struct gg_shard_source *s) {
    const struct gg_shard_set *set = &s->set;
    return (struct gg_source){
        .self = s,
        .context = s->sampler.context,
        .end = s->sampler.shuffle ? UINT64_MAX : (uint64_t)gg_sampler_samples(&s->sampler),
        .samples = gg_sampler_samples(&s->sampler),
        .vocab = set->vocab,
        .tokenizer_fingerprint = set->fingerprint,
        .data_fingerprint = data_fingerprint(set),
        .text_bytes_per_token = set->tokens > 0 ? (double)set->text_bytes / (double)set->tokens : 0,
        .bytes = gg_chunk_cache_bytes(set, CACHE_CHUNKS),
        .reserve = reserve,
        .read = read_sample,
        .close = close_source,
    };
}

gg_status gg_shard_source_open(const struct gg_text_list *paths, int64_t context, uint64_t seed, bool shuffle,
                               struct gg_source *source) {
    struct gg_shard_source *s = gg_calloc(1, sizeof *s);
    gg_status status = gg_shard_set_open(paths, &s->set);
    if (status == GG_OK) {
        status = make_sampler(s, context, seed, shuffle);
        if (status != GG_OK && paths->count > 0)
            status = gg_fail_within(status, "%s%s", paths->items[0], paths->count > 1 ? " and others" : "");
    }
    if (status == GG_OK)
        *source = source_of(s);
    else
        close_source(s);
    return status;
}

size_t gg_shard_source_most_bytes(int64_t vocab) {
    return gg_chunk_cache_most_bytes(gg_shard_token_bytes(vocab), CACHE_CHUNKS);
}
