#include "core/model/decoder.h"

#include "core/base/memory.h"
#include "core/kernels/vector_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One of the texts that are written at once. */
struct text {
    int32_t *ids;   /* (context) that the cache holds */
    int64_t cached; /* of them */
    uint64_t fed;   /* tokens since the beginning */
    bool *seen;     /* (vocab) which were among them */
    float *logits;  /* (padded_vocab) after the last token fed; one of the decoder's */
};

struct gg_decoder {
    const struct gg_graph *graph;
    gg_model *model;
    int64_t texts_count;
    struct text *texts;
    int64_t computed;   /* tokens that went through the model */
    float *logits;      /* (texts, padded_vocab) */
    int64_t *rows;      /* (texts) of a step: whose each row is */
    int32_t *step_ids;  /* (texts) of its rows, as those below */
    int64_t *positions; /* (texts) */
    float *step_logits; /* (texts, padded_vocab) */
    float *penalised;   /* (vocab) */
    struct gg_candidate *candidates;
};

size_t gg_decoder_bytes(const struct gg_graph *graph, int64_t texts) {
    const struct gg_model_config *config = &graph->config;
    const size_t vocab = (size_t)config->vocab, logits = (size_t)config->padded_vocab * sizeof(float);
    const size_t text = sizeof(struct text) + (size_t)config->context * sizeof(int32_t) +
                        vocab * sizeof(bool) + 2 * logits + sizeof(int32_t) + 2 * sizeof(int64_t);
    return gg_model_bytes(graph, GG_MODEL_GENERATE, texts) + (size_t)texts * text +
           vocab * (sizeof(float) + sizeof(struct gg_candidate));
}

gg_status gg_decoder_create(const struct gg_graph *graph, const struct gg_fabric *fabric,
                            const float *weights, int64_t texts, gg_decoder **decoder) {
    const struct gg_model_config *config = &graph->config;
    gg_decoder *made = gg_calloc(1, sizeof *made);
    made->graph = graph;
    made->texts_count = texts;
    const gg_status status =
        gg_model_create(graph, fabric, GG_MODEL_GENERATE, texts, weights, NULL, &made->model);
    if (status != GG_OK) {
        free(made);
        return status;
    }
    made->texts = gg_calloc((size_t)texts, sizeof *made->texts);
    made->logits = gg_calloc((size_t)(texts * config->padded_vocab), sizeof *made->logits);
    for (int64_t i = 0; i < texts; i++) {
        struct text *t = &made->texts[i];
        t->ids = gg_calloc((size_t)config->context, sizeof *t->ids);
        t->seen = gg_calloc((size_t)config->vocab, sizeof *t->seen);
        t->logits = made->logits + i * config->padded_vocab;
    }
    made->rows = gg_calloc((size_t)texts, sizeof *made->rows);
    made->step_ids = gg_calloc((size_t)texts, sizeof *made->step_ids);
    made->positions = gg_calloc((size_t)texts, sizeof *made->positions);
    made->step_logits = gg_calloc((size_t)(texts * config->padded_vocab), sizeof *made->step_logits);
    made->penalised = gg_calloc((size_t)config->vocab, sizeof *made->penalised);
    made->candidates = gg_calloc((size_t)config->vocab, sizeof *made->candidates);
    *decoder = made;
    return GG_OK;
}

void gg_decoder_destroy(gg_decoder **decoder) {
    gg_decoder *d = *decoder;
    if (d == NULL)
        return;
    gg_model_destroy(&d->model);
    for (int64_t i = 0; i < d->texts_count; i++) {
        free(d->texts[i].ids);
        free(d->texts[i].seen);
    }
    free(d->texts);
    free(d->logits);
    free(d->rows);
    free(d->step_ids);
    free(d->positions);
    free(d->step_logits);
    free(d->penalised);
    free(d->candidates);
    free(d);
    *decoder = NULL;
}

static struct text *text_of(const gg_decoder *d, int64_t text) {
    GG_ASSERT(text >= 0 && text < d->texts_count);
    return &d->texts[text];
}

void gg_decoder_begin(gg_decoder *d, int64_t text) {
    struct text *t = text_of(d, text);
    t->cached = 0;
    t->fed = 0;
    memset(t->seen, 0, (size_t)d->graph->config.vocab * sizeof *t->seen);
}

/* How many of `total` tokens the cache holds once they are fed: whenever it is full and one more comes, the
 * newer half becomes its beginning. */
static int64_t held_of(int64_t total, int64_t context) {
    const int64_t kept = context / 2;
    return total <= context ? total : kept + 1 + (total - context - 1) % (context - kept);
}

static void note(struct text *t, const int32_t *ids, int64_t count) {
    t->fed += (uint64_t)count;
    for (int64_t i = 0; i < count; i++)
        t->seen[ids[i]] = true;
}

void gg_decoder_feed(gg_decoder *d, int64_t text, const int32_t *ids, int64_t count) {
    struct text *t = text_of(d, text);
    if (count == 0)
        return;
    const int64_t total = t->cached + count, held = held_of(total, d->graph->config.context);
    const int64_t taken = count < held ? count : held, older = held - taken;
    /* Where tokens are forgotten, the others move to other positions and are computed anew. */
    const int64_t valid = held < total ? 0 : older;
    memmove(t->ids, t->ids + t->cached - older, (size_t)older * sizeof *ids);
    memcpy(t->ids + older, ids + count - taken, (size_t)taken * sizeof *ids);
    gg_model_prefill(d->model, text, t->ids + valid, held - valid, valid, t->logits);
    t->cached = held;
    d->computed += held - valid;
    note(t, ids, count);
}

static bool steps(const gg_decoder *d, const int32_t *ids, int64_t text) {
    return ids[text] >= 0 && d->texts[text].cached < d->graph->config.context;
}

/* Those whose context has room go through the model together. Where a row depends on how many there are, the
 * others' rows are there too, so that all products have the same shape in every step: their token stands where
 * the next one will. Where all have room the logits come where they stay. */
static void step_together(gg_decoder *d, const int32_t *ids, bool all) {
    const int64_t context = d->graph->config.context, width = d->graph->config.padded_vocab;
    int64_t count = 0;
    for (int64_t i = 0; i < d->texts_count; i++) {
        const int64_t cached = d->texts[i].cached;
        if (!steps(d, ids, i) && gg_model_decodes_alone(d->model))
            continue;
        d->rows[count] = i;
        d->positions[count] = cached < context ? cached : context - 1;
        d->step_ids[count++] = ids[i] >= 0 ? ids[i] : 0;
    }
    gg_model_decode(d->model, d->rows, count, d->step_ids, d->positions, all ? d->logits : d->step_logits);
    for (int64_t row = 0; row < count; row++) {
        const int64_t i = d->rows[row];
        struct text *t = &d->texts[i];
        if (!steps(d, ids, i))
            continue;
        if (!all)
            memcpy(t->logits, d->step_logits + row * width, (size_t)width * sizeof *t->logits);
        t->ids[t->cached++] = ids[i];
        d->computed++;
        note(t, &ids[i], 1);
    }
}

void gg_decoder_step(gg_decoder *d, const int32_t *ids) {
    const int64_t context = d->graph->config.context;
    int64_t together = 0;
    /* A full cache is computed anew, and what the step below writes to its last row is never read. */
    bool *full = gg_calloc((size_t)d->texts_count, sizeof *full);
    for (int64_t i = 0; i < d->texts_count; i++) {
        full[i] = ids[i] >= 0 && d->texts[i].cached == context;
        together += steps(d, ids, i);
    }
    if (together > 0)
        step_together(d, ids, together == d->texts_count);
    for (int64_t i = 0; i < d->texts_count; i++)
        if (full[i])
            gg_decoder_feed(d, i, &ids[i], 1);
    free(full);
}

int64_t gg_decoder_computed(const gg_decoder *d) {
    return d->computed;
}

uint32_t gg_decoder_sample(gg_decoder *d, int64_t text, const struct gg_sampling *sampling) {
    const struct text *t = text_of(d, text);
    const int64_t vocab = d->graph->config.vocab;
    GG_ASSERT(t->cached > 0);
    const float *logits = t->logits;
    if (sampling->repetition_penalty != 0 && sampling->repetition_penalty != 1) {
        gg_penalise_repetition(t->logits, vocab, t->seen, sampling->repetition_penalty, d->penalised);
        logits = d->penalised;
    }
    return gg_sample(logits, vocab, sampling, t->fed, d->candidates);
}

double gg_decoder_log_probability(const gg_decoder *d, int64_t text, uint32_t id) {
    const float *logits = text_of(d, text)->logits;
    const int64_t vocab = d->graph->config.vocab;
    float most = logits[0];
#pragma omp simd reduction(max : most)
    for (int64_t v = 0; v < vocab; v++)
        most = logits[v] > most ? logits[v] : most;
    double sum = 0; /* of exponentials relative to the largest */
#pragma omp simd reduction(+ : sum)
    for (int64_t v = 0; v < vocab; v++)
        sum += (double)gg_expf(logits[v] - most);
    return (double)logits[id] - (double)most - log(fmax(sum, 1)); /* which it is at least */
}
