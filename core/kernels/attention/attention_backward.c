#include "core/kernels/attention/attention_pair_internal.h"

#include "core/kernels/vector_math.h"

#include <math.h>

GG_KERNEL_BODY float dot(enum gg_precision stored, const void *a, const void *b, int64_t count) {
    float product = 0;
#pragma omp simd reduction(+ : product)
    for (int64_t c = 0; c < count; c++)
        product += gg_load(stored, a, c) * gg_load(stored, b, c);
    return product;
}

GG_KERNEL_BODY void write_rows(enum gg_precision stored, const float *sums, int64_t rows, int64_t columns,
                               void *to, int64_t stride) {
    for (int64_t r = 0; r < rows; r++)
#pragma omp simd
        for (int64_t c = 0; c < columns; c++)
            gg_store(stored, to, r * stride + c, sums[r * columns + c]);
}

/* Row r: probabilities P from the scores, and dS (times 1 / sqrt(HS)) from dP, both 0 where the query does not
 * see the key. With dropout the scores end as masked probabilities, which dV needs. */
static void differentiate(const struct gg_attention_pair *p, const struct gg_attention_block *b, int64_t r,
                          float log_sum) {
    const int64_t hidden = gg_attention_hidden(p, b, r), visible = gg_attention_visible(p, b, r);
    const int64_t from = gg_attention_worked_from(hidden), worked = gg_attention_worked(b, visible);
    float *row = p->scratch.scores + r * b->keys, *d_row = p->scratch.d_scores + r * b->keys;
    const float *mask = p->scratch.mask, product = p->scratch.products[b->start + r], scale = p->scale;
    if (p->shape->dropout.threshold > 0) {
        gg_attention_mask(p, b, r, hidden, visible);
#pragma omp simd
        for (int64_t k = hidden; k < visible; k++) {
            const float probability = gg_expf(row[k] * scale - log_sum);
            d_row[k] = probability * (d_row[k] * mask[k] - product) * scale;
            row[k] = probability * mask[k];
        }
    } else {
        for (int64_t k = visible; k < worked; k++) {
            row[k] = -INFINITY;
            d_row[k] = 0;
        }
#pragma omp simd
        for (int64_t k = from; k < worked; k++) {
            const float probability = gg_expf(row[k] * scale - log_sum);
            d_row[k] = probability * (d_row[k] - product) * scale;
            row[k] = probability;
        }
    }
    for (int64_t k = 0; k < hidden; k++)
        row[k] = d_row[k] = 0;
    for (int64_t k = visible; k < b->keys; k++)
        row[k] = d_row[k] = 0;
}

/* Where the gradients of keys [key, ...) are summed: see lay_out. */
static int64_t summed_at(const struct gg_attention *s, int64_t key) {
    return gg_attention_group(s) > 1 ? key * s->head_size : key % GG_KEY_ROWS * s->head_size;
}

/* Adds a block's part to scratch.d_key and d_value, and to d_query, which its first keys write. d_out: the
 * pair's. */
static void backward_block(const struct gg_attention_pair *p, const struct gg_attention_block *b,
                           const float *log_sums, const void *d_out) {
    const struct gg_attention *s = p->shape;
    const struct gg_attention_scratch *own = &p->scratch;
    const int64_t width = s->heads * s->head_size, size = s->head_size, keys = b->keys;
    const int64_t summed = summed_at(s, b->key);
    const void *d_rows = gg_at(s->stored, d_out, b->start * width);
    gg_attention_scores(p, b);
    gg_attention_multiply(p, GG_PLAIN, GG_TRANSPOSED, b->rows, keys, size, d_rows, width,
                          gg_attention_key(p, p->value, b->key), s->key_stride, false, own->d_scores, keys);
    for (int64_t r = 0; r < b->rows; r++) {
        differentiate(p, b, r, log_sums[b->start + r]);
        gg_attention_row_operand(p, own->scores + r * keys, r, keys, own->probabilities);
        gg_attention_row_operand(p, own->d_scores + r * keys, r, keys, own->d_probabilities);
    }
    gg_attention_multiply(p, GG_TRANSPOSED, GG_PLAIN, keys, size, b->rows, own->probabilities, keys, d_rows,
                          width, true, own->d_value + summed, size);
    gg_attention_multiply(p, GG_TRANSPOSED, GG_PLAIN, keys, size, b->rows, own->d_probabilities, keys,
                          gg_attention_query(p, b->start), s->query_stride, true, own->d_key + summed, size);
    gg_attention_multiply(p, GG_PLAIN, GG_PLAIN, b->rows, size, keys, own->d_probabilities, keys,
                          gg_attention_key(p, p->key, b->key), s->key_stride, b->begun,
                          own->d_query + b->start * size, size);
}

/* All blocks of keys [key, key_end). */
static void backward_keys(const struct gg_attention_pair *p, int64_t key, int64_t key_end,
                          const float *log_sums, const void *d_out) {
    const struct gg_attention *s = p->shape;
    const int64_t seen = s->window > 0 ? key_end + s->window - 1 : s->time; /* by queries before this one */
    const int64_t time = seen < s->time ? seen : s->time;
    for (int64_t start = key / GG_QUERY_ROWS * GG_QUERY_ROWS; start < time; start += GG_QUERY_ROWS) {
        const int64_t end = start + GG_QUERY_ROWS < s->time ? start + GG_QUERY_ROWS : s->time;
        const int64_t first_key = gg_attention_first_key(p, start), from = first_key > key ? first_key : key;
        if (from >= key_end) /* nor does any later query see one: texts begin further on */
            break;
        const struct gg_attention_block block = {start, end - start, from,
                                                 (end < key_end ? end : key_end) - from, from > first_key};
        backward_block(p, &block, log_sums, d_out);
    }
}

/* Everything is the pair's, d_key and d_value those of its key-value head, to which the heads of a group add
 * in their order. */
static void backward_pair(const struct gg_attention_pair *p, const void *out, const float *log_sums,
                          const void *d_out, void *d_query, void *d_key, void *d_value) {
    const struct gg_attention *s = p->shape;
    const struct gg_attention_scratch *own = &p->scratch;
    const int64_t width = s->heads * s->head_size, size = s->head_size, time = s->time;
    const int64_t group = gg_attention_group(s), member = p->head % group;
    for (int64_t t = 0; t < time; t++)
        own->products[t] = GG_SPECIALISE(dot, s->stored, gg_at(s->stored, out, t * width),
                                         gg_at(s->stored, d_out, t * width), size);
    for (int64_t key = 0; key < time; key += GG_KEY_ROWS) {
        const int64_t key_end = key + GG_KEY_ROWS < time ? key + GG_KEY_ROWS : time;
        float *d_keys = own->d_key + summed_at(s, key), *d_values = own->d_value + summed_at(s, key);
        if (member == 0) {
            memset(d_keys, 0, (size_t)((key_end - key) * size) * sizeof *d_keys);
            memset(d_values, 0, (size_t)((key_end - key) * size) * sizeof *d_values);
        }
        backward_keys(p, key, key_end, log_sums, d_out);
        if (member == group - 1) {
            GG_SPECIALISE(write_rows, s->stored, d_keys, key_end - key, size,
                          gg_at(s->stored, d_key, key * s->key_stride), s->key_stride);
            GG_SPECIALISE(write_rows, s->stored, d_values, key_end - key, size,
                          gg_at(s->stored, d_value, key * s->key_stride), s->key_stride);
        }
    }
    GG_SPECIALISE(write_rows, s->stored, own->d_query, time, size, d_query, s->query_stride);
}

void gg_attention_backward(const struct gg_attention *shape, const void *query, const void *key,
                           const void *value, const void *out, const float *log_sums, const void *d_out,
                           void *d_query, void *d_key, void *d_value, void *workspace) {
    const enum gg_precision stored = shape->stored;
    const int64_t width = shape->heads * shape->head_size, group = gg_attention_group(shape);
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < shape->sequences * shape->kv_heads; i++)
        for (int64_t pair = i * group; pair < (i + 1) * group; pair++) {
            const struct gg_attention_pair p =
                gg_attention_pair_make(shape, pair, query, key, value, workspace);
            const int64_t column = p.head * shape->head_size;
            const int64_t out_at = p.sequence * shape->time * width + column;
            const int64_t query_at = p.sequence * shape->time * shape->query_stride + column;
            const int64_t key_at =
                p.sequence * shape->key_sequence_stride + p.head / group * shape->head_size;
            backward_pair(&p, gg_at(stored, out, out_at), log_sums + pair * shape->time,
                          gg_at(stored, d_out, out_at), gg_at(stored, d_query, query_at),
                          gg_at(stored, d_key, key_at), gg_at(stored, d_value, key_at));
        }
}
