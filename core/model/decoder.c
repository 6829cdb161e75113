#include "core/model/decoder.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct gg_decoder {
    const struct gg_graph *graph;
    gg_model *model;
    int32_t *ids;   /* (context) that the cache holds */
    int64_t cached; /* of them */
    uint64_t fed;   /* tokens since the beginning */
    float *logits;  /* (padded_vocab) after the last token fed */
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

/* Makes room: the newer half of the context becomes its beginning. */
static void forget_older_half(gg_decoder *d) {
    const int64_t kept = d->graph->config.context / 2;
    memmove(d->ids, d->ids + d->cached - kept, (size_t)kept * sizeof *d->ids);
    d->cached = kept;
    if (kept > 0)
        gg_model_logits(d->model, d->ids, kept, 0, d->logits);
}

void gg_decoder_feed(gg_decoder *d, const int32_t *ids, int64_t count) {
    d->fed += (uint64_t)count;
    while (count > 0) {
        if (d->cached == d->graph->config.context)
            forget_older_half(d);
        const int64_t room = d->graph->config.context - d->cached, taken = count < room ? count : room;
        memcpy(d->ids + d->cached, ids, (size_t)taken * sizeof *ids);
        gg_model_logits(d->model, ids, taken, d->cached, d->logits);
        d->cached += taken;
        ids += taken;
        count -= taken;
    }
}

uint32_t gg_decoder_sample(gg_decoder *d, const struct gg_sampling *sampling) {
    GG_ASSERT(d->cached > 0);
    return gg_sample(d->logits, d->graph->config.vocab, sampling, d->fed, d->candidates);
}
