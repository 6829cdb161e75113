#include "core/kernels/attention.h"

#include "core/kernels/matmul.h"
#include "core/kernels/vector_math.h"

#include <math.h>
#include <omp.h>

enum { QUERY_ROWS = 128, KEY_STEP = 64 };

/* A thread's scratch: two blocks of scores, a row of dropout multipliers, and in bf16 the scores again as
 * operands, and what products sum up before it is rounded. */
struct scratch {
    float *scores, *d_scores, *mask;
    void *probabilities, *d_probabilities; /* as operands; in fp32 the scores themselves */
    float *d_key, *d_value;                /* bf16: (keys, head_size) */
    float *out;                            /* bf16: (QUERY_ROWS, head_size) */
};

static int64_t round_up(int64_t count, int64_t step) {
    return (count + step - 1) / step * step;
}

/* Floats of the parts of a thread's scratch. */
static int64_t block_floats(int64_t keys) {
    return QUERY_ROWS * round_up(keys, KEY_STEP);
}

static int64_t sum_floats(int64_t keys, int64_t head_size) {
    return round_up(keys * head_size, KEY_STEP);
}

static int64_t thread_floats(enum gg_precision stored, int64_t keys, int64_t head_size) {
    const int64_t common = 2 * block_floats(keys) + round_up(keys, KEY_STEP);
    if (stored == GG_PRECISION_FP32)
        return common;
    return common + block_floats(keys) + 2 * sum_floats(keys, head_size) + QUERY_ROWS * head_size;
}

size_t gg_attention_workspace_bytes(enum gg_precision stored, int64_t keys, int64_t head_size, int threads) {
    return (size_t)thread_floats(stored, keys, head_size) * (size_t)threads * sizeof(float);
}

static struct scratch lay_out(enum gg_precision stored, int64_t keys, int64_t head_size, float *base) {
    const int64_t block = block_floats(keys);
    struct scratch s = {.scores = base, .d_scores = base + block, .mask = base + 2 * block};
    s.probabilities = s.scores;
    s.d_probabilities = s.d_scores;
    if (stored == GG_PRECISION_BF16) {
        float *more = s.mask + round_up(keys, KEY_STEP);
        s.probabilities = more;
        s.d_probabilities = more + block / 2;
        s.d_key = more + block;
        s.d_value = s.d_key + sum_floats(keys, head_size);
        s.out = s.d_value + sum_floats(keys, head_size);
    }
    return s;
}

/* One (sequence, head) pair and its thread's scratch. */
struct pair {
    const struct gg_attention *shape;
    int64_t sequence, head;
    const void *query, *key, *value;
    float scale;
    struct scratch scratch;
};

static struct pair make_pair(const struct gg_attention *shape, int64_t index, const void *query,
                             const void *key, const void *value, void *workspace) {
    const int64_t sequence = index / shape->heads, head = index % shape->heads;
    const int64_t keys = shape->first + shape->time, column = head * shape->head_size;
    float *own =
        (float *)workspace + thread_floats(shape->stored, keys, shape->head_size) * omp_get_thread_num();
    return (struct pair){
        .shape = shape,
        .sequence = sequence,
        .head = head,
        .query = gg_at(shape->stored, query, sequence * shape->time * shape->query_stride + column),
        .key = gg_at(shape->stored, key, sequence * shape->key_sequence_stride + column),
        .value = gg_at(shape->stored, value, sequence * shape->key_sequence_stride + column),
        .scale = 1.0f / sqrtf((float)shape->head_size),
        .scratch = lay_out(shape->stored, keys, shape->head_size, own),
    };
}

/* Dropout multipliers of one query's probabilities over `keys` keys. */
static void probability_mask(const struct pair *p, int64_t query, int64_t keys) {
    const struct gg_attention *s = p->shape;
    const uint64_t head =
        s->sample_ids[p->sequence] * (uint64_t)s->whole_heads + (uint64_t)(s->first_head + p->head);
    const uint64_t row = head * (uint64_t)s->context + (uint64_t)query;
    gg_dropout_mask(&s->dropout, s->site, row * (uint64_t)s->context, keys, p->scratch.mask);
}

/* How many keys a block that ends before query `end` is multiplied with. A bf16 product is made for its
 * shape: while text is generated key by key, it takes some keys more, whose probabilities are zero. */
static int64_t block_keys(const struct gg_attention *s, int64_t end) {
    const int64_t keys = s->first + end, rounded = round_up(keys, KEY_STEP);
    if (s->stored != GG_PRECISION_BF16 || s->first == 0)
        return keys;
    return rounded <= s->key_rows ? rounded : s->key_rows;
}

/* C = op(A) op(B) with operands as they are stored, C in fp32. */
static void multiply(const struct pair *p, enum gg_transpose transpose_a, enum gg_transpose transpose_b,
                     int64_t m, int64_t n, int64_t k, const void *a, int64_t lda, const void *b, int64_t ldb,
                     bool accumulate, float *c, int64_t ldc) {
    gg_matmul_stored(p->shape->stored, transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate,
                     GG_PRECISION_FP32, c, ldc);
}

/* scores = Q K^T of queries [start, start + rows) and the keys they see. */
static void score_block(const struct pair *p, int64_t start, int64_t rows, int64_t keys) {
    const struct gg_attention *s = p->shape;
    multiply(p, GG_PLAIN, GG_TRANSPOSED, rows, keys, s->head_size,
             gg_at(s->stored, p->query, start * s->query_stride), s->query_stride, p->key, s->key_stride,
             false, p->scratch.scores, keys);
}

/* Rounds (rows, columns) of floats into bf16 with a row stride. */
static void round_rows(const float *from, int64_t rows, int64_t columns, gg_bf16 *to, int64_t stride) {
    for (int64_t r = 0; r < rows; r++)
#pragma omp simd
        for (int64_t c = 0; c < columns; c++)
            to[r * stride + c] = gg_bf16_round(from[r * columns + c]);
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

/* out = sums / sum of exponentials, in place in fp32. */
GG_KERNEL_BODY void divide_rows(enum gg_precision stored, const float *sums, int64_t stride, int64_t rows,
                                int64_t columns, const float *inverse, void *out, int64_t out_stride) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            gg_store(stored, out, r * out_stride + c, sums[r * stride + c] * inverse[r]);
}

static void forward_block(const struct pair *p, int64_t start, int64_t rows, void *out, float *log_sums) {
    const struct gg_attention *s = p->shape;
    const bool bf16 = s->stored == GG_PRECISION_BF16;
    const int64_t keys = block_keys(s, start + rows), width = s->heads * s->head_size, size = s->head_size;
    score_block(p, start, rows, keys);
    float inverse[QUERY_ROWS];
    for (int64_t r = 0; r < rows; r++) {
        float *row = p->scratch.scores + r * keys;
        const int64_t visible = s->first + start + r + 1;
        float largest;
        const float sum = exponentials(row, visible, keys, p->scale, &largest);
        inverse[r] = 1.0f / sum;
        if (log_sums != NULL)
            log_sums[start + r] = largest + logf(sum);
        if (s->dropout.threshold > 0) {
            probability_mask(p, s->first + start + r, visible);
            for (int64_t k = 0; k < visible; k++)
                row[k] *= p->scratch.mask[k];
        }
    }
    if (bf16)
        round_rows(p->scratch.scores, rows, keys, p->scratch.probabilities, keys);
    void *out_block = gg_at(s->stored, out, start * width);
    float *sums = bf16 ? p->scratch.out : out_block;
    const int64_t stride = bf16 ? size : width;
    multiply(p, GG_PLAIN, GG_PLAIN, rows, size, keys, p->scratch.probabilities, keys, p->value, s->key_stride,
             false, sums, stride);
    GG_SPECIALISE(divide_rows, s->stored, sums, stride, rows, size, inverse, out_block, width);
}

void gg_attention_forward(const struct gg_attention *shape, const void *query, const void *key,
                          const void *value, void *out, float *log_sums, void *workspace) {
    const int64_t width = shape->heads * shape->head_size;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < shape->sequences * shape->heads; i++) {
        const struct pair p = make_pair(shape, i, query, key, value, workspace);
        void *pair_out =
            gg_at(shape->stored, out, p.sequence * shape->time * width + p.head * shape->head_size);
        float *pair_sums = log_sums != NULL ? log_sums + i * shape->time : NULL;
        for (int64_t start = 0; start < shape->time; start += QUERY_ROWS) {
            const int64_t rows = start + QUERY_ROWS <= shape->time ? QUERY_ROWS : shape->time - start;
            forward_block(&p, start, rows, pair_out, pair_sums);
        }
    }
}

GG_KERNEL_BODY float dot(enum gg_precision stored, const void *a, const void *b, int64_t count) {
    float product = 0;
#pragma omp simd reduction(+ : product)
    for (int64_t c = 0; c < count; c++)
        product += gg_load(stored, a, c) * gg_load(stored, b, c);
    return product;
}

/* Rows of a block: probabilities P from the scores, and dS (times 1/sqrt(HS)) from dP. With dropout the
 * scores end as masked probabilities, which dV needs. */
static void backward_rows(const struct pair *p, int64_t start, int64_t rows, int64_t keys, const void *out,
                          const void *d_out, const float *log_sums) {
    const struct gg_attention *s = p->shape;
    const int64_t width = s->heads * s->head_size;
    for (int64_t r = 0; r < rows; r++) {
        float *row = p->scratch.scores + r * keys, *d_row = p->scratch.d_scores + r * keys;
        const float *mask = p->scratch.mask;
        const int64_t query = start + r, visible = query + 1;
        const float product = GG_SPECIALISE(dot, s->stored, gg_at(s->stored, out, query * width),
                                            gg_at(s->stored, d_out, query * width), s->head_size);
        const float log_sum = log_sums[query], scale = p->scale;
        if (s->dropout.threshold > 0) {
            probability_mask(p, query, visible);
#pragma omp simd
            for (int64_t k = 0; k < visible; k++) {
                const float probability = gg_expf(row[k] * scale - log_sum);
                d_row[k] = probability * (d_row[k] * mask[k] - product) * scale;
                row[k] = probability * mask[k];
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

/* Where a pair's gradients are summed over its blocks: the result itself in fp32, scratch in bf16. */
struct key_gradients {
    float *d_key, *d_value;
    int64_t stride;
};

static void backward_block(const struct pair *p, int64_t start, int64_t rows, const void *out,
                           const float *log_sums, const void *d_out, void *d_query,
                           const struct key_gradients *sums) {
    const struct gg_attention *s = p->shape;
    const struct scratch *own = &p->scratch;
    const int64_t keys = start + rows, width = s->heads * s->head_size, size = s->head_size;
    const bool accumulate = start + rows < s->time; /* the last block, taken first, sees every key */
    const void *d_out_block = gg_at(s->stored, d_out, start * width);
    score_block(p, start, rows, keys);
    multiply(p, GG_PLAIN, GG_TRANSPOSED, rows, keys, size, d_out_block, width, p->value, s->key_stride, false,
             own->d_scores, keys);
    backward_rows(p, start, rows, keys, out, d_out, log_sums);
    if (s->stored == GG_PRECISION_BF16) {
        round_rows(own->scores, rows, keys, own->probabilities, keys);
        round_rows(own->d_scores, rows, keys, own->d_probabilities, keys);
    }
    multiply(p, GG_TRANSPOSED, GG_PLAIN, keys, size, rows, own->probabilities, keys, d_out_block, width,
             accumulate, sums->d_value, sums->stride);
    gg_matmul_stored(s->stored, GG_PLAIN, GG_PLAIN, rows, size, keys, own->d_probabilities, keys, p->key,
                     s->key_stride, false, s->stored, gg_at(s->stored, d_query, start * s->query_stride),
                     s->query_stride);
    multiply(p, GG_TRANSPOSED, GG_PLAIN, keys, size, rows, own->d_probabilities, keys,
             gg_at(s->stored, p->query, start * s->query_stride), s->query_stride, accumulate, sums->d_key,
             sums->stride);
}

/* d_query, d_key, d_value: of this pair. */
static void backward_pair(const struct pair *p, const void *out, const float *log_sums, const void *d_out,
                          void *d_query, void *d_key, void *d_value) {
    const struct gg_attention *s = p->shape;
    const bool bf16 = s->stored == GG_PRECISION_BF16;
    const struct key_gradients sums = {bf16 ? p->scratch.d_key : d_key, bf16 ? p->scratch.d_value : d_value,
                                       bf16 ? s->head_size : s->key_stride};
    const int64_t blocks = (s->time + QUERY_ROWS - 1) / QUERY_ROWS;
    for (int64_t block = blocks - 1; block >= 0; block--) {
        const int64_t start = block * QUERY_ROWS;
        const int64_t rows = start + QUERY_ROWS <= s->time ? QUERY_ROWS : s->time - start;
        backward_block(p, start, rows, out, log_sums, d_out, d_query, &sums);
    }
    if (bf16) {
        round_rows(sums.d_key, s->time, s->head_size, d_key, s->key_stride);
        round_rows(sums.d_value, s->time, s->head_size, d_value, s->key_stride);
    }
}

void gg_attention_backward(const struct gg_attention *shape, const void *query, const void *key,
                           const void *value, const void *out, const float *log_sums, const void *d_out,
                           void *d_query, void *d_key, void *d_value, void *workspace) {
    const enum gg_precision stored = shape->stored;
    const int64_t width = shape->heads * shape->head_size;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < shape->sequences * shape->heads; i++) {
        const struct pair p = make_pair(shape, i, query, key, value, workspace);
        const int64_t column = p.head * shape->head_size, out_at = p.sequence * shape->time * width + column;
        const int64_t query_at = p.sequence * shape->time * shape->query_stride + column;
        const int64_t key_at = p.sequence * shape->key_sequence_stride + column;
        backward_pair(&p, gg_at(stored, out, out_at), log_sums + i * shape->time,
                      gg_at(stored, d_out, out_at), gg_at(stored, d_query, query_at),
                      gg_at(stored, d_key, key_at), gg_at(stored, d_value, key_at));
    }
}
