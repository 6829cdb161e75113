#include "core/kernels/attention.h"

#include "core/kernels/matmul.h"
#include "core/kernels/vector_math.h"

#include <math.h>
#include <omp.h>

enum { QUERY_ROWS = 128 };

/* Per thread: two blocks of scores and a row of dropout multipliers. */
static size_t thread_floats(int64_t keys) {
    return (size_t)(2 * QUERY_ROWS + 1) * (size_t)keys;
}

size_t gg_attention_workspace_bytes(int64_t keys, int threads) {
    return thread_floats(keys) * (size_t)threads * sizeof(float);
}

/* One (sequence, head) pair and its thread's scratch. */
struct pair {
    const struct gg_attention *shape;
    int64_t sequence, head;
    const float *query, *key, *value;
    float scale;
    float *scores, *d_scores, *mask;
};

static struct pair make_pair(const struct gg_attention *shape, int64_t index, const float *query,
                             const float *key, const float *value, void *workspace) {
    const int64_t sequence = index / shape->heads, head = index % shape->heads;
    const int64_t keys = shape->first + shape->time, column = head * shape->head_size;
    float *scratch = (float *)workspace + thread_floats(keys) * (size_t)omp_get_thread_num();
    return (struct pair){
        .shape = shape,
        .sequence = sequence,
        .head = head,
        .query = query + sequence * shape->time * shape->query_stride + column,
        .key = key + sequence * shape->key_sequence_stride + column,
        .value = value + sequence * shape->key_sequence_stride + column,
        .scale = 1.0f / sqrtf((float)shape->head_size),
        .scores = scratch,
        .d_scores = scratch + QUERY_ROWS * keys,
        .mask = scratch + 2 * QUERY_ROWS * keys,
    };
}

/* Dropout multipliers of one query's probabilities over `keys` keys. */
static void probability_mask(const struct pair *p, int64_t query, int64_t keys) {
    const struct gg_attention *s = p->shape;
    const uint64_t head =
        s->sample_ids[p->sequence] * (uint64_t)s->whole_heads + (uint64_t)(s->first_head + p->head);
    const uint64_t row = head * (uint64_t)s->context + (uint64_t)query;
    gg_dropout_mask(&s->dropout, s->site, row * (uint64_t)s->context, keys, p->mask);
}

/* scores = Q K^T of queries [start, start + rows) and the keys they see. */
static void score_block(const struct pair *p, int64_t start, int64_t rows, int64_t keys) {
    const struct gg_attention *s = p->shape;
    gg_matmul(GG_PLAIN, GG_TRANSPOSED, rows, keys, s->head_size, p->query + start * s->query_stride,
              s->query_stride, p->key, s->key_stride, false, p->scores, keys);
}

/* Turns a row of scores into exponentials, zero beyond `visible`; returns their sum and their maximum. */
static float exponentials(float *row, int64_t visible, int64_t keys, float scale, float *largest) {
    float best = -INFINITY, sum = 0;
#pragma omp simd reduction(max : best)
    for (int64_t k = 0; k < visible; k++)
        best = row[k] > best ? row[k] : best;
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < visible; k++) {
        row[k] = gg_expf((row[k] - best) * scale);
        sum += row[k];
    }
    for (int64_t k = visible; k < keys; k++)
        row[k] = 0;
    *largest = best * scale;
    return sum;
}

static void forward_block(const struct pair *p, int64_t start, int64_t rows, float *out, float *log_sums) {
    const struct gg_attention *s = p->shape;
    const int64_t keys = s->first + start + rows, width = s->heads * s->head_size;
    score_block(p, start, rows, keys);
    float inverse[QUERY_ROWS];
    for (int64_t r = 0; r < rows; r++) {
        float *row = p->scores + r * keys;
        const int64_t visible = s->first + start + r + 1;
        float largest;
        const float sum = exponentials(row, visible, keys, p->scale, &largest);
        inverse[r] = 1.0f / sum;
        if (log_sums != NULL)
            log_sums[start + r] = largest + logf(sum);
        if (s->dropout.threshold > 0) {
            probability_mask(p, s->first + start + r, visible);
            for (int64_t k = 0; k < visible; k++)
                row[k] *= p->mask[k];
        }
    }
    float *out_block = out + start * width;
    gg_matmul(GG_PLAIN, GG_PLAIN, rows, s->head_size, keys, p->scores, keys, p->value, s->key_stride, false,
              out_block, width);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < s->head_size; c++)
            out_block[r * width + c] *= inverse[r];
}

void gg_attention_forward(const struct gg_attention *shape, const float *query, const float *key,
                          const float *value, float *out, float *log_sums, void *workspace) {
    const int64_t width = shape->heads * shape->head_size;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < shape->sequences * shape->heads; i++) {
        const struct pair p = make_pair(shape, i, query, key, value, workspace);
        float *pair_out = out + p.sequence * shape->time * width + p.head * shape->head_size;
        float *pair_sums = log_sums != NULL ? log_sums + i * shape->time : NULL;
        for (int64_t start = 0; start < shape->time; start += QUERY_ROWS) {
            const int64_t rows = start + QUERY_ROWS <= shape->time ? QUERY_ROWS : shape->time - start;
            forward_block(&p, start, rows, pair_out, pair_sums);
        }
    }
}

/* Rows of a block: probabilities P from the scores, and dS (times 1/sqrt(HS)) from dP. With dropout the
 * scores end as masked probabilities, which dV needs. */
static void backward_rows(const struct pair *p, int64_t start, int64_t rows, int64_t keys, const float *out,
                          const float *d_out, const float *log_sums) {
    const struct gg_attention *s = p->shape;
    const int64_t width = s->heads * s->head_size;
    for (int64_t r = 0; r < rows; r++) {
        float *row = p->scores + r * keys, *d_row = p->d_scores + r * keys;
        const int64_t query = start + r, visible = query + 1;
        float product = 0;
#pragma omp simd reduction(+ : product)
        for (int64_t c = 0; c < s->head_size; c++)
            product += out[query * width + c] * d_out[query * width + c];
        const float log_sum = log_sums[query], scale = p->scale;
        if (s->dropout.threshold > 0) {
            probability_mask(p, query, visible);
#pragma omp simd
            for (int64_t k = 0; k < visible; k++) {
                const float probability = gg_expf(row[k] * scale - log_sum);
                d_row[k] = probability * (d_row[k] * p->mask[k] - product) * scale;
                row[k] = probability * p->mask[k];
            }
        } else {
#pragma omp simd
            for (int64_t k = 0; k < visible; k++) {
                const float probability = gg_expf(row[k] * scale - log_sum);
                d_row[k] = probability * (d_row[k] - product) * scale;
                row[k] = probability;
            }
        }
        for (int64_t k = visible; k < keys; k++)
            row[k] = d_row[k] = 0;
    }
}

static void backward_block(const struct pair *p, int64_t start, int64_t rows, const float *out,
                           const float *log_sums, const float *d_out, float *d_query, float *d_key,
                           float *d_value) {
    const struct gg_attention *s = p->shape;
    const int64_t keys = start + rows, width = s->heads * s->head_size, size = s->head_size;
    const bool accumulate = start + rows < s->time; /* the last block, taken first, sees every key */
    const float *d_out_block = d_out + start * width;
    score_block(p, start, rows, keys);
    gg_matmul(GG_PLAIN, GG_TRANSPOSED, rows, keys, size, d_out_block, width, p->value, s->key_stride, false,
              p->d_scores, keys);
    backward_rows(p, start, rows, keys, out, d_out, log_sums);
    gg_matmul(GG_TRANSPOSED, GG_PLAIN, keys, size, rows, p->scores, keys, d_out_block, width, accumulate,
              d_value, s->key_stride);
    gg_matmul(GG_PLAIN, GG_PLAIN, rows, size, keys, p->d_scores, keys, p->key, s->key_stride, false,
              d_query + start * s->query_stride, s->query_stride);
    gg_matmul(GG_TRANSPOSED, GG_PLAIN, keys, size, rows, p->d_scores, keys,
              p->query + start * s->query_stride, s->query_stride, accumulate, d_key, s->key_stride);
}

void gg_attention_backward(const struct gg_attention *shape, const float *query, const float *key,
                           const float *value, const float *out, const float *log_sums, const float *d_out,
                           float *d_query, float *d_key, float *d_value, void *workspace) {
    const int64_t width = shape->heads * shape->head_size;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < shape->sequences * shape->heads; i++) {
        const struct pair p = make_pair(shape, i, query, key, value, workspace);
        const int64_t column = p.head * shape->head_size, out_at = p.sequence * shape->time * width + column;
        const int64_t query_at = p.sequence * shape->time * shape->query_stride + column;
        const int64_t key_at = p.sequence * shape->key_sequence_stride + column;
        const int64_t blocks = (shape->time + QUERY_ROWS - 1) / QUERY_ROWS;
        for (int64_t block = blocks - 1; block >= 0; block--) {
            const int64_t start = block * QUERY_ROWS;
            const int64_t rows = start + QUERY_ROWS <= shape->time ? QUERY_ROWS : shape->time - start;
            backward_block(&p, start, rows, out + out_at, log_sums + i * shape->time, d_out + out_at,
                           d_query + query_at, d_key + key_at, d_value + key_at);
        }
    }
}
