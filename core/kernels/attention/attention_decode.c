#include "core/kernels/attention/attention_pair_internal.h"

#include "core/base/status.h"
#include "core/kernels/vector_math.h"

#include <math.h>

/* Features worked on at once, in vectors of 16; keys worked on at once. */
enum { LANES = 16, VECTORS = 4, KEYS = GG_KEY_ROWS };

/* q k over the head's features. */
GG_KERNEL_BODY float product(enum gg_precision stored, const float *query, const void *key, int64_t size) {
    gg_floats16 sums = {0};
    float rest = 0, lanes[LANES];
    int64_t c = 0;
    for (; c + LANES <= size; c += LANES)
        sums += gg_load16(GG_PRECISION_FP32, query + c) * gg_load16(stored, gg_at(stored, key, c));
    for (; c < size; c++)
        rest += query[c] * gg_load(stored, key, c);
    memcpy(lanes, &sums, sizeof lanes);
    for (int apart = LANES / 2; apart > 0; apart /= 2)
        for (int lane = 0; lane < apart; lane++)
            lanes[lane] += lanes[lane + apart];
    return lanes[0] + rest;
}

/* out[c] = out[c] * factor + sum over keys of weights[k] values[k, c], for `vectors` vectors of features. */
GG_KERNEL_BODY void add_values(enum gg_precision stored, int vectors, const float *weights, const void *values,
                               int64_t stride, int64_t keys, float factor, float *out) {
    gg_floats16 sums[VECTORS];
    for (int v = 0; v < vectors; v++)
        sums[v] = gg_load16(GG_PRECISION_FP32, out + v * LANES) * factor;
    for (int64_t k = 0; k < keys; k++)
        for (int v = 0; v < vectors; v++)
            sums[v] += weights[k] * gg_load16(stored, gg_at(stored, values, k * stride + v * LANES));
    for (int v = 0; v < vectors; v++)
        memcpy(out + v * LANES, &sums[v], sizeof sums[v]);
}

GG_KERNEL_BODY void add_all_values(enum gg_precision stored, const float *weights, const void *values,
                                   int64_t stride, int64_t keys, float factor, float *out, int64_t size) {
    int64_t c = 0;
    for (; c + VECTORS * LANES <= size; c += VECTORS * LANES)
        add_values(stored, VECTORS, weights, gg_at(stored, values, c), stride, keys, factor, out + c);
    for (; c + LANES <= size; c += LANES)
        add_values(stored, 1, weights, gg_at(stored, values, c), stride, keys, factor, out + c);
    for (; c < size; c++) {
        float sum = out[c] * factor;
        for (int64_t k = 0; k < keys; k++)
            sum += weights[k] * gg_load(stored, values, k * stride + c);
        out[c] = sum;
    }
}

/* scores become exponentials relative to `best`; returns their sum. */
static float exponentials(float *scores, int64_t keys, float best, float scale) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < keys; k++) {
        scores[k] = gg_expf((scores[k] - best) * scale);
        sum += scores[k];
    }
    return sum;
}

/* The softmax is taken as blocks of keys go by (Milakov and Gimelshein 2018, algorithm 3). */
GG_KERNEL_BODY void one_query(enum gg_precision stored, const struct gg_attention_pair *p, void *out) {
    const int64_t size = p->shape->head_size, stride = p->shape->key_stride, end = p->first + 1;
    float *query = p->scratch.out, *sums = p->scratch.out + size, *scores = p->scratch.scores;
    float best = -INFINITY, total = 0;
    gg_load_floats(stored, p->query, size, query);
    memset(sums, 0, (size_t)size * sizeof *sums);
    for (int64_t key = gg_attention_seen_from(p, 0); key < end; key += KEYS) {
        const int64_t keys = end - key < KEYS ? end - key : KEYS;
        const float before = best;
        for (int64_t k = 0; k < keys; k++) {
            scores[k] = product(stored, query, gg_attention_key(p, p->key, key + k), size);
            best = scores[k] > best ? scores[k] : best;
        }
        const float factor = total > 0 ? gg_expf((before - best) * p->scale) : 0;
        total = total * factor + exponentials(scores, keys, best, p->scale);
        add_all_values(stored, scores, gg_attention_key(p, p->value, key), stride, keys, factor, sums, size);
    }
    for (int64_t c = 0; c < size; c++)
        sums[c] /= total;
    gg_store_floats(stored, out, size, sums);
}

void gg_attention_decode(const struct gg_attention *shape, const void *query, const void *key,
                         const void *value, void *out, void *workspace) {
    GG_ASSERT(shape->time == 1 && shape->dropout.threshold == 0);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < shape->sequences * shape->heads; i++) {
        const struct gg_attention_pair p = gg_attention_pair_make(shape, i, query, key, value, workspace);
        GG_SPECIALISE(one_query, shape->stored, &p, gg_at(shape->stored, out, i * shape->head_size));
    }
}
