#include "io/shards/shard_documents.h"

#include "core/base/memory.h"
#include "io/shards/chunk_cache.h"

#include <stdlib.h>

/* A document is read from front to back, over at most one border at a time. */
enum { CACHE_CHUNKS = 2 };

struct gg_shard_documents {
    struct gg_shard_set set;
    gg_chunk_cache *cache;
    int64_t *first_tokens; /* (shards + 1) tokens of the shards before */
    int64_t *starts;       /* (count + 1) where documents begin, counted over all shards */
    int64_t count;
};

/* Appends where the documents of a shard begin. */
static gg_status find_starts(gg_shard_documents *d, int64_t shard) {
    const struct gg_shard_info *info = gg_shard_info(d->set.shards[shard]);
    const int64_t before = d->first_tokens[shard];
    uint64_t *offsets = NULL;
    GG_TRY(gg_shard_read_documents(d->set.shards[shard], &offsets));
    if (shard == 0 && info->tokens > 0 && (info->documents == 0 || offsets[0] > 0))
        d->starts[d->count++] = 0;
    for (int64_t i = 0; i < info->documents; i++)
        if ((int64_t)offsets[i] < info->tokens)
            d->starts[d->count++] = before + (int64_t)offsets[i];
    free(offsets);
    return GG_OK;
}

static gg_status open_all(gg_shard_documents *d, const struct gg_text_list *paths) {
    GG_TRY(gg_shard_set_open(paths, &d->set));
    d->first_tokens = gg_calloc((size_t)d->set.count + 1, sizeof *d->first_tokens);
    for (int64_t s = 0; s < d->set.count; s++)
        d->first_tokens[s + 1] = d->first_tokens[s] + gg_shard_info(d->set.shards[s])->tokens;
    void *starts = NULL;
    GG_TRY(
        gg_try_malloc((size_t)(d->set.documents + 2) * sizeof *d->starts, "the documents' places", &starts));
    d->starts = starts;
    for (int64_t s = 0; s < d->set.count; s++)
        GG_TRY(find_starts(d, s));
    d->starts[d->count] = d->set.tokens;
    return gg_chunk_cache_create(&d->set, CACHE_CHUNKS, &d->cache);
}

gg_status gg_shard_documents_open(const struct gg_text_list *paths, gg_shard_documents **documents) {
    gg_shard_documents *d = gg_calloc(1, sizeof *d);
    const gg_status status = open_all(d, paths);
    if (status != GG_OK)
        gg_shard_documents_close(&d);
    *documents = d;
    return status;
}

void gg_shard_documents_close(gg_shard_documents **documents) {
    gg_shard_documents *d = *documents;
    if (d == NULL)
        return;
    gg_chunk_cache_destroy(&d->cache);
    gg_shard_set_close(&d->set);
    free(d->first_tokens);
    free(d->starts);
    free(d);
    *documents = NULL;
}

const struct gg_shard_set *gg_shard_documents_set(const gg_shard_documents *d) {
    return &d->set;
}

int64_t gg_shard_documents_count(const gg_shard_documents *d) {
    return d->count;
}

int64_t gg_shard_documents_tokens(const gg_shard_documents *d, int64_t document) {
    return d->starts[document + 1] - d->starts[document];
}

/* The shard that holds a token. */
static int64_t shard_of(const gg_shard_documents *d, int64_t token) {
    int64_t low = 0, high = d->set.count - 1;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (token < d->first_tokens[middle + 1])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

gg_status gg_shard_documents_read(gg_shard_documents *d, int64_t document, int64_t first, int64_t count,
                                  int32_t *tokens) {
    int64_t at = d->starts[document] + first;
    GG_ASSERT(first >= 0 && count >= 0 && at + count <= d->starts[document + 1]);
    while (count > 0) {
        const int64_t shard = shard_of(d, at), rest = d->first_tokens[shard + 1] - at,
                      part = count < rest ? count : rest;
        GG_TRY(gg_chunk_cache_copy(d->cache, shard, at - d->first_tokens[shard], part, tokens));
        tokens += part;
        at += part;
        count -= part;
    }
    return GG_OK;
}
