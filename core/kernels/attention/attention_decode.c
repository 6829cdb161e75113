#include "core/base/status.h"
#include "core/kernels/attention/attention_pair_internal.h"
#include "core/kernels/vector_math.h"

#include <math.h>
#include <omp.h>

/* Several heads of a sequence go over its keys and values together, row by row as these stand in memory: a head's
 * own part of a row is no longer than two lines, and reading it alone would leave memory idle. */
enum { LANES = 16, VECTORS = 4, KEYS = GG_KEY_ROWS, MOST_HEADS = GG_QUERY_ROWS };

/* Query heads [head, head + heads) of a sequence, and a thread's room for them. */
struct part {
    const struct gg_attention_pair *first; /* the first head's */
    int64_t heads, group, size, stride;    /* group: of heads that share keys */
    float *query, *sums;                   /* (heads, size) */
    float *scores;                         /* (heads, KEYS) */
    float *best, *totals, *factors;        /* (heads) */
};

/* The sum of the lanes. */
static inline float total(gg_floats16 s) {
    typedef float lanes8 __attribute__((vector_size(32)));
    typedef float lanes4 __attribute__((vector_size(16)));
    const lanes8 a = __builtin_shufflevector(s, s, 0, 1, 2, 3, 4, 5, 6, 7) +
                     __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15);
    const lanes4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
    return (b[0] + b[2]) + (b[1] + b[3]);
}

/* q k over the head's features. */
GG_KERNEL_BODY float product(enum gg_precision stored, const float *query, const void *key, int64_t size) {
    gg_floats16 sums = {0};
    float rest = 0;
    int64_t c = 0;
    for (; c + LANES <= size; c += LANES)
        sums += gg_load16(GG_PRECISION_FP32, query + c) * gg_load16(stored, gg_at(stored, key, c));
    for (; c < size; c++)
        rest += query[c] * gg_load(stored, key, c);
    return total(sums) + rest;
}

/* Scores of a block of keys, for all heads; the largest of each, and by what earlier sums are scaled down to it. */
GG_KERNEL_BODY void score(enum gg_precision stored, const struct part *p, int64_t key, int64_t keys) {
    for (int64_t k = 0; k < keys; k++) {
        const void *row = gg_attention_key(p->first, p->first->key, key + k);
        for (int64_t h = 0; h < p->heads; h++)
            p->scores[h * KEYS + k] =
                product(stored, p->query + h * p->size, gg_at(stored, row, h / p->group * p->size), p->size);
    }
    for (int64_t h = 0; h < p->heads; h++) {
        float *scores = p->scores + h * KEYS, best = p->best[h], sum = 0;
        const float scale = p->first->scale;
#pragma omp simd reduction(max : best)
        for (int64_t k = 0; k < keys; k++)
            best = scores[k] > best ? scores[k] : best;
#pragma omp simd reduction(+ : sum)
        for (int64_t k = 0; k < keys; k++) {
            scores[k] = gg_expf((scores[k] - best) * scale);
            sum += scores[k];
        }
        p->factors[h] = p->totals[h] > 0 ? gg_expf((p->best[h] - best) * scale) : 0;
        p->totals[h] = p->totals[h] * p->factors[h] + sum;
        p->best[h] = best;
    }
}

/* sums[c] += sum over `keys` keys of weights[k] values[k, c]. */
GG_KERNEL_BODY void add_values(enum gg_precision stored, int keys, const float *weights, const void *values,
                               int64_t stride, float *sums, int64_t size) {
    int64_t c = 0;
    for (; c + LANES <= size; c += LANES) {
        gg_floats16 sum = gg_load16(GG_PRECISION_FP32, sums + c);
        for (int k = 0; k < keys; k++)
            sum += weights[k] * gg_load16(stored, gg_at(stored, values, k * stride + c));
        memcpy(sums + c, &sum, sizeof sum);
    }
    for (; c < size; c++)
        for (int k = 0; k < keys; k++)
            sums[c] += weights[k] * gg_load(stored, values, k * stride + c);
}

/* The values of a block of keys, by their exponentials. */
GG_KERNEL_BODY void take_values(enum gg_precision stored, const struct part *p, int64_t key, int64_t keys) {
    for (int64_t h = 0; h < p->heads; h++)
        for (int64_t c = 0; c < p->size; c++)
            p->sums[h * p->size + c] *= p->factors[h];
    int64_t k = 0;
    for (; k + VECTORS <= keys; k += VECTORS)
        for (int64_t h = 0; h < p->heads; h++)
            add_values(stored, VECTORS, p->scores + h * KEYS + k,
                       gg_at(stored, gg_attention_key(p->first, p->first->value, key + k),
                             h / p->group * p->size),
                       p->stride, p->sums + h * p->size, p->size);
    for (; k < keys; k++)
        for (int64_t h = 0; h < p->heads; h++)
            add_values(stored, 1, p->scores + h * KEYS + k,
                       gg_at(stored, gg_attention_key(p->first, p->first->value, key + k),
                             h / p->group * p->size),
                       p->stride, p->sums + h * p->size, p->size);
}

/* The softmax is taken as blocks of keys go by (Milakov and Gimelshein 2018, algorithm 3). */
GG_KERNEL_BODY void some_heads(enum gg_precision stored, const struct part *p, void *out) {
    const int64_t features = p->heads * p->size, end = p->first->first + 1;
    gg_load_floats(stored, p->first->query, features, p->query);
    memset(p->sums, 0, (size_t)features * sizeof *p->sums);
    for (int64_t h = 0; h < p->heads; h++) {
        p->best[h] = -INFINITY;
        p->totals[h] = 0;
    }
    for (int64_t key = gg_attention_seen_from(p->first, 0); key < end; key += KEYS) {
        const int64_t keys = end - key < KEYS ? end - key : KEYS;
        score(stored, p, key, keys);
        take_values(stored, p, key, keys);
    }
    for (int64_t h = 0; h < p->heads; h++)
        for (int64_t c = 0; c < p->size; c++)
            p->sums[h * p->size + c] /= p->totals[h];
    gg_store_floats(stored, out, features, p->sums);
}

/* Key-value heads that go together: all of a sequence, or fewer where there would be less work than threads. */
static int64_t together(const struct gg_attention *shape) {
    const int64_t wanted = (omp_get_max_threads() + shape->sequences - 1) / shape->sequences;
    const int64_t fair = (shape->kv_heads + wanted - 1) / wanted,
                  most = MOST_HEADS / gg_attention_group(shape);
    return fair < most ? fair : most;
}

void gg_attention_decode(const struct gg_attention *shape, const void *query, const void *key,
                         const void *value, void *out, void *workspace) {
    const int64_t group = gg_attention_group(shape), kv_heads = together(shape);
    const int64_t parts = (shape->kv_heads + kv_heads - 1) / kv_heads;
    GG_ASSERT(shape->time == 1 && shape->dropout.threshold == 0 && group <= MOST_HEADS);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < shape->sequences * parts; i++) {
        const int64_t from = i % parts * kv_heads, left = shape->kv_heads - from,
                      head = i / parts * shape->heads + from * group;
        const struct gg_attention_pair first =
            gg_attention_pair_make(shape, head, query, key, value, workspace);
        const struct part p = {.first = &first,
                               .heads = (left < kv_heads ? left : kv_heads) * group,
                               .group = group,
                               .size = shape->head_size,
                               .stride = shape->key_stride,
                               .query = first.scratch.out,
                               .sums = first.scratch.d_key,
                               .scores = first.scratch.scores,
                               .best = first.scratch.largest,
                               .totals = first.scratch.sums,
                               .factors = first.scratch.mask};
        GG_SPECIALISE(some_heads, shape->stored, &p, gg_at(shape->stored, out, head * shape->head_size));
    }
}
