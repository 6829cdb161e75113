#include "core/kernels/attention/attention_pair_internal.h"

#include "core/kernels/vector_math.h"

#include <math.h>

/* The keys of a block from `key` on that queries before `end` see. A library's bf16 product is made for its
 * shape: while text is generated key by key, it takes some keys more, whose probabilities are zero. */
static int64_t block_keys(const struct gg_attention_pair *p, int64_t end, int64_t key) {
    const struct gg_attention *s = p->shape;
    int64_t keys = p->first + end;
    if (s->stored == GG_PRECISION_BF16 && p->first > 0) {
        keys = (keys + GG_KEY_STEP - 1) / GG_KEY_STEP * GG_KEY_STEP;
        keys = keys < s->key_rows ? keys : s->key_rows;
    }
    return keys - key < GG_KEY_ROWS ? keys - key : GG_KEY_ROWS;
}

/* Scales a sum over blocks down to a new largest score. */
static void rescale(float *values, int64_t count, float factor) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        values[i] *= factor;
}

/* Row r where the query sees no key of the block, as its text begins behind it. */
static void no_exponentials(const struct gg_attention_pair *p, const struct gg_attention_block *b,
                            int64_t r) {
    const struct gg_attention_scratch *own = &p->scratch;
    for (int64_t k = 0; k < b->keys; k++)
        own->scores[r * b->keys + k] = 0;
    if (!b->begun) {
        own->largest[r] = -INFINITY;
        own->sums[r] = 0;
    }
}

/* Row r of scores becomes exponentials, relative to the row's largest score so far; sums over earlier blocks
 * are scaled down to it (Milakov and Gimelshein 2018, algorithm 3). */
static void exponentials(const struct gg_attention_pair *p, const struct gg_attention_block *b, int64_t r) {
    const struct gg_attention_scratch *own = &p->scratch;
    const int64_t hidden = gg_attention_hidden(p, b, r), visible = gg_attention_visible(p, b, r);
    const int64_t from = gg_attention_worked_from(hidden), to = gg_attention_worked(b, visible);
    const int64_t size = p->shape->head_size, worked = to - from;
    float *all = own->scores + r * b->keys, *row = all + from;
    float best = b->begun ? own->largest[r] : -INFINITY, sum = 0;
    const float before = best, scale = p->scale;
    for (int64_t k = from; k < hidden; k++)
        all[k] = -INFINITY;
    for (int64_t k = visible; k < to; k++)
        all[k] = -INFINITY;
#pragma omp simd reduction(max : best)
    for (int64_t k = 0; k < worked; k++)
        best = row[k] > best ? row[k] : best;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < worked; k++) {
        const float e = gg_expf((row[k] - best) * scale);
        row[k] = e;
        sum += e;
    }
    for (int64_t k = 0; k < from; k++)
        all[k] = 0;
    for (int64_t k = to; k < b->keys; k++)
        all[k] = 0;
    if (b->begun && best > before) {
        const float factor = gg_expf((before - best) * scale);
        own->sums[r] *= factor;
        rescale(own->out + r * size, size, factor);
    }
    own->largest[r] = best;
    own->sums[r] = b->begun ? own->sums[r] + sum : sum;
    if (p->shape->dropout.threshold > 0) {
        gg_attention_mask(p, b, r, hidden, visible);
#pragma omp simd
        for (int64_t k = hidden; k < visible; k++)
            all[k] *= own->mask[k];
    }
}

/* scratch.out += exp(scores) V of a block. */
static void add_block(const struct gg_attention_pair *p, const struct gg_attention_block *b) {
    const struct gg_attention *s = p->shape;
    const struct gg_attention_scratch *own = &p->scratch;
    gg_attention_scores(p, b);
    for (int64_t r = 0; r < b->rows; r++) {
        if (gg_attention_hidden(p, b, r) < gg_attention_visible(p, b, r))
            exponentials(p, b, r);
        else
            no_exponentials(p, b, r);
        gg_attention_row_operand(p, own->scores + r * b->keys, r, b->keys, own->probabilities);
    }
    gg_attention_multiply(p, GG_PLAIN, GG_PLAIN, b->rows, s->head_size, b->keys, own->probabilities, b->keys,
                          gg_attention_key(p, p->value, b->key), s->key_stride, b->begun, own->out,
                          s->head_size);
}

/* out = sums over blocks / sum of exponentials. */
GG_KERNEL_BODY void divide_row(enum gg_precision stored, const float *sums, int64_t columns, float sum,
                               void *out) {
    const float inverse = 1.0f / sum;
#pragma omp simd
    for (int64_t c = 0; c < columns; c++)
        gg_store(stored, out, c, sums[c] * inverse);
}

/* out, log_sums: of this pair. */
static void forward_rows(const struct gg_attention_pair *p, int64_t start, int64_t rows, void *out,
                         float *log_sums) {
    const struct gg_attention *s = p->shape;
    const struct gg_attention_scratch *own = &p->scratch;
    const int64_t width = s->heads * s->head_size;
    const int64_t first_key = gg_attention_first_key(p, start);
    for (int64_t key = first_key; key < p->first + start + rows; key += GG_KEY_ROWS) {
        const struct gg_attention_block block = {start, rows, key, block_keys(p, start + rows, key),
                                                 key > first_key};
        add_block(p, &block);
    }
    for (int64_t r = 0; r < rows; r++) {
        GG_SPECIALISE(divide_row, s->stored, own->out + r * s->head_size, s->head_size, own->sums[r],
                      gg_at(s->stored, out, (start + r) * width));
        if (log_sums != NULL)
            log_sums[start + r] = own->largest[r] * p->scale + logf(own->sums[r]);
    }
}

void gg_attention_forward(const struct gg_attention *shape, const void *query, const void *key,
                          const void *value, void *out, float *log_sums, void *workspace) {
    const int64_t width = shape->heads * shape->head_size, time = shape->time;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < shape->sequences * shape->heads; i++) {
        const struct gg_attention_pair p = gg_attention_pair_make(shape, i, query, key, value, workspace);
        void *pair_out = gg_at(shape->stored, out, p.sequence * time * width + p.head * shape->head_size);
        for (int64_t start = 0; start < time; start += GG_QUERY_ROWS)
            forward_rows(&p, start, start + GG_QUERY_ROWS <= time ? GG_QUERY_ROWS : time - start, pair_out,
                         log_sums != NULL ? log_sums + i * time : NULL);
    }
}
