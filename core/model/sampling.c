#include "core/model/sampling.h"

#include "core/base/random.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static uint32_t largest(const float *logits, int64_t vocab) {
    int64_t best = 0;
    for (int64_t v = 1; v < vocab; v++)
        if (logits[v] > logits[best])
            best = v;
    return (uint32_t)best;
}

static int by_weight(const void *a, const void *b) {
    const struct gg_candidate *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_id(const void *a, const void *b) {
    const struct gg_candidate *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Puts the candidates that top-k, top-p and min-p leave in front; returns how many there are. */
static int64_t cut(const struct gg_sampling *sampling, struct gg_candidate *candidates, int64_t count) {
    const bool all_k = sampling->top_k <= 0 || sampling->top_k >= count;
    if (all_k && sampling->top_p >= 1 && sampling->min_p <= 0)
        return count;
    qsort(candidates, (size_t)count, sizeof *candidates, by_weight);
    count = all_k ? count : sampling->top_k;
    double total = 0, kept = 0;
    for (int64_t i = 0; i < count; i++)
        total += (double)candidates[i].weight;
    for (int64_t i = 0; i < count; i++) {
        kept += (double)candidates[i].weight;
        if (kept >= sampling->top_p * total)
            count = i + 1;
    }
    /* The likeliest has weight 1, and always stays. */
    while (count > 1 && (double)candidates[count - 1].weight < sampling->min_p)
        count--;
    return count;
}

void gg_penalise_repetition(const float *logits, int64_t vocab, const bool *seen, double penalty,
                            float *penalised) {
    for (int64_t v = 0; v < vocab; v++) {
        const double logit = (double)logits[v];
        penalised[v] = !seen[v] ? logits[v] : (float)(logit < 0 ? logit * penalty : logit / penalty);
    }
}

uint32_t gg_sample(const float *logits, int64_t vocab, const struct gg_sampling *sampling, uint64_t index,
                   struct gg_candidate *candidates) {
    const uint32_t likeliest = largest(logits, vocab);
    if (sampling->temperature == 0)
        return likeliest;
    for (int64_t v = 0; v < vocab; v++) {
        const double below = ((double)logits[v] - (double)logits[likeliest]) / sampling->temperature;
        candidates[v] = (struct gg_candidate){(float)exp(below), (uint32_t)v};
    }
    const int64_t count = cut(sampling, candidates, vocab);
    /* In order of ids, so that the last bits of near-equal logits, which differ from layout to layout, hardly
     * ever decide. */
    if (count < vocab)
        qsort(candidates, (size_t)count, sizeof *candidates, by_id);
    double total = 0, passed = 0;
    for (int64_t i = 0; i < count; i++)
        total += (double)candidates[i].weight;
    const double drawn =
        total * gg_random_uniform(sampling->seed, GG_STREAM(GG_STREAM_SAMPLE, sampling->text), index);
    for (int64_t i = 0; i < count; i++) {
        passed += (double)candidates[i].weight;
        if (passed > drawn)
            return candidates[i].id;
    }
    return candidates[count - 1].id;
}
