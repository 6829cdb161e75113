#include "core/model/decoder.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct gg_decoder {
    const struct gg_graph *graph;
    gg_model *model;
    int32_t *ids;     /* (context) that the cache holds */
    int64_t cached;   /* of them */
    uint64_t fed;     /* tokens since the beginning */
    int64_t computed; /* tokens that went through the model */
    float *logits;    /* (padded_vocab) after the last token fed */
    struct gg_candidate *candidates;
};

gg_status gg_decoder_create(const struct gg_graph *graph, const struct gg_fabric *fabric,
                            const float *weights, gg_decoder **decoder) {
    const struct gg_model_config *config = &graph->config;
    gg_decoder *made = gg_calloc(1, sizeof *made);
    made->graph = graph;
    const gg_status status =
        gg_model_create(graph, fabric, GG_MODEL_GENERATE, 1, weights, NULL, &made->model);
    if (status != GG_OK) {
        free(made);
        return status;
    }
    made->ids = gg_calloc((size_t)config->context, sizeof *made->ids);
    made->logits = gg_calloc((size_t)config->padded_vocab, sizeof *made->logits);
    made->candidates = gg_calloc((size_t)config->vocab, sizeof *made->candidates);
    *decoder = made;
    return GG_OK;
}

void gg_decoder_destroy(gg_decoder **decoder) {
    if (*decoder == NULL)
        return;
    gg_model_destroy(&(*decoder)->model);
    free((*decoder)->ids);
    free((*decoder)->logits);
    free((*decoder)->candidates);
    free(*decoder);
    *decoder = NULL;
}

/* How many of `total` tokens the cache holds once they are fed: whenever it is full and one more comes, the
 * newer half becomes its beginning. */
static int64_t held_of(int64_t total, int64_t context) {
    const int64_t kept = context / 2;
    return total <= context ? total : kept + 1 + (total - context - 1) % (context - kept);
}

void gg_decoder_feed(gg_decoder *d, const int32_t *ids, int64_t count) {
    if (count == 0)
        return;
    const int64_t total = d->cached + count, held = held_of(total, d->graph->config.context);
    const int64_t taken = count < held ? count : held, older = held - taken;
    /* Where tokens are forgotten, the others move to other positions and are computed anew. */
    const int64_t valid = held < total ? 0 : older;
    memmove(d->ids, d->ids + d->cached - older, (size_t)older * sizeof *ids);
    memcpy(d->ids + older, ids + count - taken, (size_t)taken * sizeof *ids);
    gg_model_logits(d->model, d->ids + valid, held - valid, valid, d->logits);
    d->cached = held;
    d->fed += (uint64_t)count;
    d->computed += held - valid;
}

int64_t gg_decoder_computed(const gg_decoder *d) {
    return d->computed;
}

uint32_t gg_decoder_sample(gg_decoder *d, const struct gg_sampling *sampling) {
    GG_ASSERT(d->cached > 0);
    return gg_sample(d->logits, d->graph->config.vocab, sampling, d->fed, d->candidates);
}
