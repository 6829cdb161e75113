#include "io/shards/corpora_source.h"

#include "core/base/memory.h"
#include "core/data/blend.h"
#include "core/data/blend_source.h"
#include "io/shards/shard_source.h"

#include <stdlib.h>

_Static_assert(GG_CORPORA_MOST <= GG_BLEND_CORPORA, "a blend takes all corpora that there can be");

static gg_status open_corpus_shards(void *self, const struct gg_text_list *paths, const char *origin,
                                    int64_t context, uint64_t seed, bool shuffle, struct gg_source *source) {
    (void)self;
    const gg_status status = gg_shard_source_open(paths, context, seed, shuffle, source);
    return status == GG_OK ? GG_OK : gg_fail_within(status, "%s", origin);
}

const struct gg_corpus_opener gg_shards_opener = {open_corpus_shards, NULL};

/* Opens the files that a setting names.
 *   first [out] NULL: not wanted; else the first file's path, owned by the caller */
static gg_status open_files(const struct gg_corpus_opener *opener, const struct gg_text_list *patterns,
                            const char *origin, int64_t context, uint64_t seed, bool shuffle,
                            struct gg_source *source, char **first) {
    struct gg_text_list paths = {0};
    gg_status status = gg_shards_expand(patterns, &paths, origin);
    if (status == GG_OK)
        status = opener->open(opener->self, &paths, origin, context, seed, shuffle, source);
    if (status == GG_OK && first != NULL)
        *first = gg_strdup(paths.items[0]);
    gg_text_list_free(&paths);
    return status;
}

static gg_status check_tokenizers(const struct gg_corpora *corpora, int corpus,
                                  const struct gg_blend_part *parts) {
    const struct gg_source *a = &parts[0].source, *b = &parts[corpus].source;
    if (a->tokenizer_fingerprint == b->tokenizer_fingerprint && a->vocab == b->vocab)
        return GG_OK;
    return gg_fail(
        GG_BAD_DATA,
        "the files of data.train.%s and data.train.%s were made with different tokenizers; prepare "
        "them with the same one",
        corpora->named[0].name, corpora->named[corpus].name);
}

/* Opens a blend's corpora one after the other; on a failure those that are open are closed again. */
static gg_status open_parts(const struct gg_data_settings *settings, int64_t context,
                            const struct gg_corpus_opener *opener, struct gg_blend_part *parts,
                            struct gg_corpora_facts *facts) {
    const struct gg_corpora *corpora = &settings->train;
    gg_status status = GG_OK;
    int open = 0;
    for (int c = 0; c < (int)corpora->count && status == GG_OK; c++) {
        const struct gg_corpus *corpus = &corpora->named[c];
        char *origin = gg_format("data.train.%s", corpus->name);
        parts[c].name = corpus->name;
        parts[c].weight = corpus->weight;
        status =
            open_files(opener, &corpus->paths, origin, context, gg_data_corpus_seed(settings, corpus->name),
                       true, &parts[c].source, c == 0 ? &facts->first_file : NULL);
        free(origin);
        if (status != GG_OK)
            break;
        open++;
        facts->samples[c] = parts[c].source.samples;
        status = check_tokenizers(corpora, c, parts);
    }
    for (int c = 0; c < open && status != GG_OK; c++)
        parts[c].source.close(parts[c].source.self);
    return status;
}

gg_status gg_train_source_open(const struct gg_data_settings *settings, int64_t context,
                               const struct gg_corpus_opener *opener, struct gg_source *source,
                               struct gg_corpora_facts *facts) {
    if (settings->train.count == 0) {
        GG_TRY(open_files(opener, &settings->train.paths, "data.train", context, (uint64_t)settings->seed,
                          true, source, &facts->first_file));
        facts->samples[0] = source->samples;
        return GG_OK;
    }
    struct gg_blend_part parts[GG_CORPORA_MOST];
    GG_TRY(open_parts(settings, context, opener, parts, facts));
    *source = gg_blend_source(parts, (int)settings->train.count);
    return GG_OK;
}

gg_status gg_val_source_open(const struct gg_data_settings *settings, int64_t context, int corpus,
                             const struct gg_corpus_opener *opener, struct gg_source *source) {
    const struct gg_corpora *corpora = &settings->val;
    const bool named = corpora->count > 0;
    char *origin = named ? gg_format("data.val.%s", corpora->named[corpus].name) : gg_strdup("data.val");
    const gg_status status = open_files(opener, named ? &corpora->named[corpus].paths : &corpora->paths,
                                        origin, context, 0, false, source, NULL);
    free(origin);
    return status;
}

size_t gg_train_source_most_bytes(const struct gg_data_settings *settings, int64_t vocab) {
    const size_t one = gg_shard_source_most_bytes(vocab), named = settings->train.count;
    return named > 0 ? named * one + gg_blend_source_most_bytes() : one;
}
