#include "core/data/blend_source.h"

#include "core/base/memory.h"
#include "core/data/blend.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct blend_source {
    gg_blend *blend;
    struct gg_source parts[GG_BLEND_CORPORA];
    int count;
};

static gg_status reserve(void *self) {
    const struct blend_source *b = self;
    for (int c = 0; c < b->count; c++)
        if (b->parts[c].reserve != NULL)
            GG_TRY(b->parts[c].reserve(b->parts[c].self));
    return GG_OK;
}

static gg_status read_sample(void *self, uint64_t sample, const struct gg_sample *to) {
    struct blend_source *b = self;
    int corpus;
    uint64_t number;
    gg_blend_locate(b->blend, sample, &corpus, &number);
    return b->parts[corpus].read(b->parts[corpus].self, number, to);
}

static void close_source(void *self) {
    struct blend_source *b = self;
    for (int c = 0; c < b->count; c++)
        b->parts[c].close(b->parts[c].self);
    gg_blend_destroy(&b->blend);
    free(b);
}

static uint64_t data_fingerprint(const struct gg_blend_part *parts, int count) {
    uint64_t hash = XXH3_64bits(&count, sizeof count);
    for (int c = 0; c < count; c++) {
        uint64_t part[4] = {hash, XXH3_64bits(parts[c].name, strlen(parts[c].name)), 0,
                            parts[c].source.data_fingerprint};
        memcpy(&part[2], &parts[c].weight, sizeof part[2]);
        hash = XXH3_64bits(part, sizeof part);
    }
    return hash;
}

size_t gg_blend_source_most_bytes(void) {
    return sizeof(struct blend_source) + gg_blend_most_bytes();
}

struct gg_source gg_blend_source(const struct gg_blend_part *parts, int count) {
    struct blend_source *b = gg_calloc(1, sizeof *b);
    const struct gg_source *first = &parts[0].source;
    struct gg_source source = {.self = b,
                               .context = first->context,
                               .end = GG_BLEND_SAMPLES,
                               .marked = first->marked,
                               .vocab = first->vocab,
                               .tokenizer_fingerprint = first->tokenizer_fingerprint,
                               .data_fingerprint = data_fingerprint(parts, count),
                               .bytes = gg_blend_source_most_bytes(),
                               .reserve = reserve,
                               .read = read_sample,
                               .close = close_source};
    double weights[GG_BLEND_CORPORA], sum = 0;
    for (int c = 0; c < count; c++) {
        const struct gg_source *part = &parts[c].source;
        GG_ASSERT(part->context == source.context && part->marked == source.marked &&
                  part->end == UINT64_MAX);
        GG_ASSERT(part->vocab == source.vocab && part->tokenizer_fingerprint == source.tokenizer_fingerprint);
        b->parts[c] = *part;
        weights[c] = parts[c].weight;
        sum += weights[c];
        source.samples += part->samples;
        source.bytes += part->bytes;
    }
    for (int c = 0; c < count; c++)
        source.text_bytes_per_token += weights[c] / sum * parts[c].source.text_bytes_per_token;
    b->count = count;
    b->blend = gg_blend_create(weights, count);
    return source;
}
