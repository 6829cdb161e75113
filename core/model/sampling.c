#include "core/model/sampling.h"

#include "core/base/random.h"

#include <math.h>
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

/* Weights become exp((logit - largest) / temperature), largest first; returns how many are left of top-k. */
static int64_t rank_candidates(const float *logits, int64_t vocab, const struct gg_sampling *sampling,
                               struct gg_candidate *candidates) {
    for (int64_t v = 0; v < vocab; v++)
        candidates[v] = (struct gg_candidate){logits[v], (uint32_t)v};
    qsort(candidates, (size_t)vocab, sizeof *candidates, by_weight);
    const int64_t count = sampling->top_k > 0 && sampling->top_k < vocab ? sampling->top_k : vocab;
    const double best = (double)candidates[0].weight;
    for (int64_t i = 0; i < count; i++)
        candidates[i].weight = (float)exp(((double)candidates[i].weight - best) / sampling->temperature);
    return count;
}

uint32_t gg_sample(const float *logits, int64_t vocab, const struct gg_sampling *sampling, uint64_t index,
                   struct gg_candidate *candidates) {
    if (sampling->temperature == 0)
        return largest(logits, vocab);
    int64_t count = rank_candidates(logits, vocab, sampling, candidates);
    double total = 0, kept = 0;
    for (int64_t i = 0; i < count; i++)
        total += (double)candidates[i].weight;
    for (int64_t i = 0; i < count; i++) {
        kept += (double)candidates[i].weight;
        if (kept >= sampling->top_p * total)
            count = i + 1;
    }
    const double drawn = kept * gg_random_uniform(sampling->seed, GG_STREAM(GG_STREAM_SAMPLE, 0), index);
    double passed = 0;
    for (int64_t i = 0; i < count; i++) {
        passed += (double)candidates[i].weight;
        if (passed > drawn)
            return candidates[i].id;
    }
    return candidates[count - 1].id;
}
