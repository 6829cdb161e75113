#include "core/model/sampling.h"

#include "core/base/random.h"
#include "core/kernels/vector_math.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Tokens that are weighed at once. */
enum { BLOCK = 256 };

/* The first of the largest. */
static uint32_t largest(const float *logits, int64_t vocab) {
    float most = logits[0];
#pragma omp simd reduction(max : most)
    for (int64_t v = 0; v < vocab; v++)
        most = logits[v] > most ? logits[v] : most;
    for (int64_t v = 0; v < vocab; v++)
        if (logits[v] == most)
            return (uint32_t)v;
    return 0; /* none is a number */
}

/* How probable tokens [from, from + count) are, relative to the likeliest. */
static void weigh(const float *logits, int64_t from, int64_t count, float most, float inverse,
                  float *weights) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        weights[i] = gg_expf((logits[from + i] - most) * inverse);
}

/* By weight, and equals by id. */
static bool comes_before(const struct gg_candidate *a, const struct gg_candidate *b) {
    return a->weight != b->weight ? a->weight > b->weight : a->id < b->id;
}

static int by_id(const void *a, const void *b) {
    const struct gg_candidate *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void sift_down(struct gg_candidate *heap, int64_t count, int64_t at) {
    const struct gg_candidate moved = heap[at];
    for (int64_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        child += child + 1 < count && comes_before(&heap[child + 1], &heap[child]);
        if (!comes_before(&heap[child], &moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

/* Moves the first of a heap behind its others. */
static const struct gg_candidate *take_first(struct gg_candidate *heap, int64_t *count) {
    const struct gg_candidate first = heap[0];
    heap[0] = heap[--*count];
    heap[*count] = first;
    sift_down(heap, *count, 0);
    return &heap[*count];
}

/* Puts the candidates that top-k, top-p and min-p leave in front, in order of their ids; returns how many there are.
 * They are taken one by one from a heap, the likeliest first: a few of many cost little more than a look at each. */
static int64_t cut(const struct gg_sampling *sampling, struct gg_candidate *candidates, int64_t count) {
    const int64_t most = sampling->top_k <= 0 || sampling->top_k >= count ? count : sampling->top_k;
    int64_t left = count, taken = 0;
    double total = 0, kept = 0;
    for (int64_t i = count / 2 - 1; i >= 0; i--)
        sift_down(candidates, count, i);
    for (int64_t i = 0; i < most; i++)
        total += (double)(most == count ? &candidates[i] : take_first(candidates, &left))->weight;
    while (taken < most) {
        if (count - left == taken)
            take_first(candidates, &left);
        const double weight = (double)candidates[count - 1 - taken].weight;
        if (taken > 0 && weight < sampling->min_p) /* the likeliest has weight 1, and always stays */
            break;
        taken++;
        kept += weight;
        if (sampling->top_p < 1 && kept >= sampling->top_p * total)
            break;
    }
    memmove(candidates, candidates + count - taken, (size_t)taken * sizeof *candidates);
    /* In order of ids, so that the last bits of near-equal logits, which differ from layout to layout, hardly
     * ever decide. */
    qsort(candidates, (size_t)taken, sizeof *candidates, by_id);
    return taken;
}

void gg_penalise_repetition(const float *logits, int64_t vocab, const bool *seen, double penalty,
                            float *penalised) {
    for (int64_t v = 0; v < vocab; v++) {
        const double logit = (double)logits[v];
        penalised[v] = !seen[v] ? logits[v] : (float)(logit < 0 ? logit * penalty : logit / penalty);
    }
}

/* Draws from those that the cuts leave. */
static uint32_t draw_of_few(const float *logits, int64_t vocab, const struct gg_sampling *sampling,
                            float most, double uniform, struct gg_candidate *candidates) {
    const float inverse = (float)(1 / sampling->temperature);
    float weights[BLOCK];
    for (int64_t from = 0; from < vocab; from += BLOCK) {
        const int64_t count = from + BLOCK < vocab ? BLOCK : vocab - from;
        weigh(logits, from, count, most, inverse, weights);
        for (int64_t i = 0; i < count; i++)
            candidates[from + i] = (struct gg_candidate){weights[i], (uint32_t)(from + i)};
    }
    const int64_t count = cut(sampling, candidates, vocab);
    double total = 0, passed = 0;
    for (int64_t i = 0; i < count; i++)
        total += (double)candidates[i].weight;
    for (int64_t i = 0; i < count; i++) {
        passed += (double)candidates[i].weight;
        if (passed > total * uniform)
            return candidates[i].id;
    }
    return candidates[count - 1].id;
}

/* Draws from all: a block of tokens by the blocks' sums, which stand in place of candidates, then one of its. */
static uint32_t draw_of_all(const float *logits, int64_t vocab, const struct gg_sampling *sampling,
                            float most, double uniform, struct gg_candidate *candidates) {
    const float inverse = (float)(1 / sampling->temperature);
    const int64_t blocks = (vocab + BLOCK - 1) / BLOCK;
    float weights[BLOCK];
    double total = 0, passed = 0;
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t count = b < blocks - 1 ? BLOCK : vocab - b * BLOCK;
        weigh(logits, b * BLOCK, count, most, inverse, weights);
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < count; i++)
            sum += weights[i];
        candidates[b].weight = sum;
        total += (double)sum;
    }
    int64_t block = 0;
    while (block < blocks - 1 && passed + (double)candidates[block].weight <= total * uniform)
        passed += (double)candidates[block++].weight;
    const int64_t from = block * BLOCK, count = block < blocks - 1 ? BLOCK : vocab - from;
    weigh(logits, from, count, most, inverse, weights);
    int64_t last = 0; /* that is possible at all: sums are rounded */
    for (int64_t i = 0; i < count; i++) {
        passed += (double)weights[i];
        if (weights[i] > 0)
            last = i;
        if (passed > total * uniform)
            return (uint32_t)(from + i);
    }
    return (uint32_t)(from + last);
}

uint32_t gg_sample(const float *logits, int64_t vocab, const struct gg_sampling *sampling, uint64_t index,
                   struct gg_candidate *candidates) {
    const uint32_t likeliest = largest(logits, vocab);
    if (sampling->temperature == 0)
        return likeliest;
    const bool cuts =
        (sampling->top_k > 0 && sampling->top_k < vocab) || sampling->top_p < 1 || sampling->min_p > 0;
    const double uniform =
        gg_random_uniform(sampling->seed, GG_STREAM(GG_STREAM_SAMPLE, sampling->text), index);
    return (cuts ? draw_of_few : draw_of_all)(logits, vocab, sampling, logits[likeliest], uniform,
                                              candidates);
}
