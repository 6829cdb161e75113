/* Scores of tokens from the head's logits, which like those of the loss (head.c) exist a few rows at a time, a part of
 * the vocabulary on each feature shard. Three numbers a row of scratch suffice: alternatives are found one after the
 * other, each as the first entry behind the one before. */
#include "core/base/clock.h"
#include "core/base/status.h"
#include "core/kernels/token_rank.h"
#include "core/model/module_internal.h"

#include <math.h>

/* Some rows of the micro-batch. */
struct rows {
    const struct gg_fabric *fabric;
    struct gg_logits logits;
    int64_t first; /* of the micro-batch's tokens */
    const int32_t *targets;
    const float *weights; /* or NULL */
    float *scratch;       /* (3, rows) */
    struct gg_token_scores *scores;
};

static void rank_targets(const struct rows *r) {
    const int64_t count = r->logits.tokens;
    float *values = r->scratch, *before = r->scratch + count;
    gg_rank_targets(&r->logits, r->targets, r->weights, values);
    r->fabric->feature_sum(r->fabric, values, count);
    gg_rank_counts(&r->logits, r->targets, r->weights, values, before);
    r->fabric->feature_sum(r->fabric, before, count);
    for (int64_t t = 0; t < count; t++)
        r->scores->ranks[r->first + t] = (int32_t)before[t];
}

/* The k-th likeliest entry of each row: every shard's best, the largest of them, and of shards that have as large a one
 * the one with the lowest id. */
static void find_alternative(const struct rows *r, int64_t k) {
    const int64_t count = r->logits.tokens, most = r->scores->alternatives;
    int32_t *ids = r->scores->ids + r->first * most;
    float *found = r->scores->id_probabilities + r->first * most;
    float *best = r->scratch, *negative_ids = r->scratch + count, *before = r->scratch + 2 * count;
    int32_t *next = r->scores->ranks + r->first; /* ranks come later */
    int32_t *before_ids = (int32_t *)(void *)negative_ids;
    for (int64_t t = 0; k > 0 && t < count; t++) {
        before[t] = found[t * most + k - 1];
        before_ids[t] = ids[t * most + k - 1];
    }
    gg_rank_next(&r->logits, r->weights, k > 0 ? before : NULL, k > 0 ? before_ids : NULL, best, next);
    for (int64_t t = 0; t < count; t++)
        before[t] = best[t]; /* this rank's */
    r->fabric->feature_max(r->fabric, best, count);
    for (int64_t t = 0; t < count; t++)
        negative_ids[t] = before[t] == best[t] ? -(float)next[t] : -INFINITY;
    r->fabric->feature_max(r->fabric, negative_ids, count);
    for (int64_t t = 0; t < count; t++) {
        found[t * most + k] = best[t];
        ids[t * most + k] = (int32_t)-negative_ids[t];
    }
}

/* Logits of alternatives become log-probabilities with the targets. */
static void normalise(const struct rows *r) {
    const int64_t count = r->logits.tokens, most = r->scores->alternatives;
    float *sums = r->scratch, *largest = r->scratch + 2 * count;
    gg_loss_maximum(&r->logits, largest);
    r->fabric->feature_max(r->fabric, largest, count);
    gg_loss_exponentials(&r->logits, largest, r->targets, sums);
    r->fabric->feature_sum(r->fabric, sums, 2 * count);
    for (int64_t t = 0; t < count; t++) {
        const double log_sum = log((double)sums[2 * t]);
        r->scores->log_probabilities[r->first + t] = (float)((double)sums[2 * t + 1] - log_sum);
        float *found = r->scores->id_probabilities + (r->first + t) * most;
        for (int64_t k = 0; k < most; k++)
            found[k] = (float)((double)found[k] - (double)largest[t] - log_sum);
    }
}

void gg_head_score(struct gg_model *model, const struct gg_step *step, const struct gg_batch *batch,
                   struct gg_token_scores *scores) {
    const struct gg_graph *graph = model->graph;
    const struct gg_linear *product = step->module->kind->linear(step->module);
    const struct gg_head_size size = gg_head_size_of(model, step->module);
    const int64_t width = gg_module_input_width(model, step->module, 0), local = size.local,
                  tokens = batch->sequences * batch->time, most = size.rows;
    const int32_t *targets = scores->classes ? batch->labels : batch->targets;
    const float *weights = scores->classes ? batch->label_weights : batch->loss_weights;
    float *values = step->at.scratch;
    GG_ASSERT(model->use != GG_MODEL_GENERATE && product->out < GG_RANKED_VOCAB);
    GG_ASSERT(scores->alternatives <= size.entries);
    for (int64_t start = 0; start < tokens; start += most) {
        const int64_t count = start + most < tokens ? most : tokens - start;
        const struct rows rows = {.fabric = model->fabric,
                                  .logits = {values, count, local, graph->shards.feature_index * local,
                                             size.entries},
                                  .first = start,
                                  .targets = targets + start,
                                  .weights = weights != NULL ? weights + start : NULL,
                                  .scratch = values + most * local,
                                  .scores = scores};
        const double begin = gg_clock_seconds();
        model->fabric->matmul(model->fabric, GG_PRODUCT_FORWARD, product, count,
                              gg_at(graph->config.precision, step->at.x[0], start * width),
                              gg_module_operand(model, step->module->parameters[0]), false, values);
        const double multiplied = gg_clock_seconds();
        for (int64_t k = 0; k < scores->alternatives; k++)
            find_alternative(&rows, k);
        rank_targets(&rows);
        normalise(&rows);
        model->times.forward[GG_KERNEL_MATMUL] += multiplied - begin;
        model->times.forward[GG_KERNEL_LOSS] += gg_clock_seconds() - multiplied;
    }
}
