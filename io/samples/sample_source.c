#include "io/samples/sample_source.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/data/packing.h"
#include "core/data/sampler.h" /* gg_permute */

#include <stdlib.h>

struct sample_source {
    struct gg_sample_set set;
    struct gg_packing packing;
    int64_t context;
    uint64_t seed;
    bool shuffle;
    float lm_weight;
    int32_t padding; /* token behind the last text of a row */
};

/* What each learned token of a text weighs: one, or beside a class its share of lm_weight. */
static float weight_of(const struct sample_source *s, int64_t text) {
    if (s->set.form != GG_SAMPLE_LABEL)
        return 1;
    const int64_t targets = s->set.first[text + 1] - s->set.first[text] - 1;
    return targets > 0 ? s->lm_weight / (float)targets : 0;
}

/* Writes a text from place `at` of the row on. Returns the place behind it. */
static int64_t put_text(const struct sample_source *s, int64_t text, int64_t at, const struct gg_sample *to) {
    const int64_t first = s->set.first[text], count = s->set.first[text + 1] - first;
    const uint32_t *ids = s->set.list.ids.items + first;
    const char *learned = s->set.list.learned.bytes + first;
    const float weight = weight_of(s, text);
    for (int64_t i = 0; i < count; i++) {
        to->tokens[at + i] = (int32_t)ids[i];
        if (at + i == s->context) /* a target alone */
            continue;
        to->marks.starts[at + i] = (int32_t)at;
        to->marks.loss_weights[at + i] = i + 1 < count && learned[i + 1] ? weight : 0;
        to->marks.labels[at + i] = 0;
        to->marks.label_weights[at + i] = 0;
    }
    if (s->set.form == GG_SAMPLE_LABEL) {
        to->marks.labels[at + count - 1] = s->set.labels[text];
        to->marks.label_weights[at + count - 1] = 1;
    }
    return at + count;
}

static gg_status read_row(void *self, uint64_t sample, const struct gg_sample *to) {
    const struct sample_source *s = self;
    const uint64_t rows = (uint64_t)s->packing.rows, epoch = sample / rows;
    uint64_t row = sample % rows;
    if (s->shuffle)
        row = gg_permute(gg_random_bits(s->seed, GG_STREAM(GG_STREAM_ORDER, epoch), 1), rows, row);
    int64_t at = 0;
    for (int64_t i = s->packing.first[row]; i < s->packing.first[row + 1]; i++)
        at = put_text(s, s->packing.texts[i], at, to);
    for (; at <= s->context; at++) { /* texts of one token in which nothing counts */
        to->tokens[at] = s->padding;
        if (at == s->context)
            break;
        to->marks.starts[at] = (int32_t)at;
        to->marks.labels[at] = 0;
        to->marks.loss_weights[at] = to->marks.label_weights[at] = 0;
    }
    return GG_OK;
}

static void close_source(void *self) {
    struct sample_source *s = self;
    gg_packing_free(&s->packing);
    gg_sample_set_free(&s->set);
    free(s);
}

static void pack(struct sample_source *s, int64_t most_tokens) {
    int32_t *lengths = gg_malloc((size_t)s->set.count * sizeof *lengths);
    for (int64_t i = 0; i < s->set.count; i++)
        lengths[i] = (int32_t)(s->set.first[i + 1] - s->set.first[i]);
    gg_packing_make(lengths, s->set.count, (int32_t)most_tokens, s->seed, &s->packing);
    free(lengths);
}

gg_status gg_sample_source_open(const struct gg_sample_request *request, const struct gg_text_list *paths,
                                const char *origin, int64_t context, uint64_t seed, bool shuffle,
                                double lm_weight, struct gg_source *source, struct gg_sample_facts *facts) {
    struct sample_source *s = gg_calloc(1, sizeof *s);
    s->context = context;
    s->seed = seed;
    s->shuffle = shuffle;
    s->lm_weight = (float)lm_weight;
    s->padding = (int32_t)gg_tokenizer_end_of_text(request->tokenizer);
    struct gg_sample_request own = *request;
    /* A row has one token more than inputs; a class stands at an input. */
    own.most_tokens = request->settings->form == GG_SAMPLE_LABEL ? context : context + 1;
    const gg_status status = gg_sample_set_read(&own, paths, origin, &s->set);
    if (status != GG_OK) {
        close_source(s);
        return status;
    }
    pack(s, own.most_tokens);
    const int64_t tokens = (int64_t)s->set.list.ids.count;
    *facts = (struct gg_sample_facts){s->set.count, s->set.truncated, s->packing.rows, tokens};
    *source = (struct gg_source){
        .self = s,
        .context = context,
        .end = shuffle ? UINT64_MAX : (uint64_t)s->packing.rows,
        .marked = true,
        .samples = s->packing.rows,
        .vocab = gg_tokenizer_vocab(request->tokenizer),
        .tokenizer_fingerprint = gg_tokenizer_fingerprint(request->tokenizer),
        .data_fingerprint = s->set.fingerprint,
        .bytes = 0, /* nothing more than what opening took */
        .read = read_row,
        .close = close_source,
    };
    return GG_OK;
}
