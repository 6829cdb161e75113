#include "core/kernels/attention/attention_pair_internal.h"

#include <math.h>
#include <omp.h>

enum { ALIGNMENT = 64, BLOCK = GG_QUERY_ROWS * GG_KEY_ROWS };

/* Deals out memory from `base` on, or only counts where it is NULL. */
struct dealer {
    char *base;
    size_t used;
};

static void *deal(struct dealer *d, enum gg_precision stored, int64_t count) {
    void *dealt = d->base != NULL ? d->base + d->used : NULL;
    d->used += ((size_t)count * gg_stored_bytes(stored) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return dealt;
}

/* Keys' and values' gradients stay until all heads of a group have added to them: a block's where the group is
 * one head, else all. */
static struct gg_attention_scratch lay_out(enum gg_precision stored, int64_t keys, int64_t head_size,
                                           int64_t group, struct dealer *d) {
    const enum gg_precision wide = GG_PRECISION_FP32;
    const int64_t summed = group > 1 && keys > GG_KEY_ROWS ? keys : GG_KEY_ROWS;
    struct gg_attention_scratch s = {
        .scores = deal(d, wide, BLOCK),
        .d_scores = deal(d, wide, BLOCK),
        .mask = deal(d, wide, GG_KEY_ROWS),
        .largest = deal(d, wide, GG_QUERY_ROWS),
        .sums = deal(d, wide, GG_QUERY_ROWS),
        .out = deal(d, wide, GG_QUERY_ROWS * head_size),
        .d_key = deal(d, wide, summed * head_size),
        .d_value = deal(d, wide, summed * head_size),
        .d_query = deal(d, wide, keys * head_size),
        .products = deal(d, wide, keys),
    };
    s.probabilities = stored == wide ? s.scores : deal(d, stored, BLOCK);
    s.d_probabilities = stored == wide ? s.d_scores : deal(d, stored, BLOCK);
    return s;
}

static size_t thread_bytes(enum gg_precision stored, int64_t keys, int64_t head_size, int64_t group) {
    struct dealer count = {NULL, 0};
    lay_out(stored, keys, head_size, group, &count);
    return count.used;
}

size_t gg_attention_workspace_bytes(enum gg_precision stored, int64_t keys, int64_t head_size, int64_t group,
                                    int threads) {
    return thread_bytes(stored, keys, head_size, group) * (size_t)threads;
}

struct gg_attention_pair gg_attention_pair_make(const struct gg_attention *shape, int64_t index,
                                                const void *query, const void *key, const void *value,
                                                void *workspace) {
    const enum gg_precision stored = shape->stored;
    const int64_t sequence = index / shape->heads, head = index % shape->heads;
    const int64_t keys = shape->first + shape->time, group = gg_attention_group(shape);
    const int64_t column = head * shape->head_size, key_column = head / group * shape->head_size;
    const int64_t owner = shape->owners != NULL ? shape->owners[sequence] : sequence;
    const size_t bytes = thread_bytes(stored, keys, shape->head_size, group);
    struct dealer own = {(char *)workspace + bytes * (size_t)omp_get_thread_num(), 0};
    return (struct gg_attention_pair){
        .shape = shape,
        .sequence = sequence,
        .head = head,
        .first = shape->firsts != NULL ? shape->firsts[sequence] : shape->first,
        .starts = shape->starts != NULL ? shape->starts + sequence * shape->time : NULL,
        .query = gg_at(stored, query, sequence * shape->time * shape->query_stride + column),
        .key = gg_at(stored, key, owner * shape->key_sequence_stride + key_column),
        .value = gg_at(stored, value, owner * shape->key_sequence_stride + key_column),
        .scale = 1.0f / sqrtf((float)shape->head_size),
        .scratch = lay_out(stored, keys, shape->head_size, group, &own),
    };
}

void gg_attention_multiply(const struct gg_attention_pair *p, enum gg_transpose transpose_a,
                           enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                           int64_t lda, const void *b, int64_t ldb, bool accumulate, float *c, int64_t ldc) {
    gg_matmul_stored(p->shape->stored, transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate,
                     GG_PRECISION_FP32, c, ldc);
}

void gg_attention_scores(const struct gg_attention_pair *p, const struct gg_attention_block *b) {
    const struct gg_attention *s = p->shape;
    gg_attention_multiply(p, GG_PLAIN, GG_TRANSPOSED, b->rows, b->keys, s->head_size,
                          gg_attention_query(p, b->start), s->query_stride,
                          gg_attention_key(p, p->key, b->key), s->key_stride, false, p->scratch.scores,
                          b->keys);
}

void gg_attention_mask(const struct gg_attention_pair *p, const struct gg_attention_block *b, int64_t r,
                       int64_t hidden, int64_t visible) {
    const struct gg_attention *s = p->shape;
    const uint64_t head =
        s->sample_ids[p->sequence] * (uint64_t)s->whole_heads + (uint64_t)(s->first_head + p->head);
    const uint64_t row = head * (uint64_t)s->context + (uint64_t)(p->first + b->start + r);
    if (hidden < visible)
        gg_dropout_mask(&s->dropout, s->site, row * (uint64_t)s->context + (uint64_t)(b->key + hidden),
                        visible - hidden, p->scratch.mask + hidden);
}

void gg_attention_row_operand(const struct gg_attention_pair *p, const float *row, int64_t r, int64_t keys,
                              void *operand) {
    if (p->shape->stored == GG_PRECISION_BF16)
        gg_store_floats(GG_PRECISION_BF16, (gg_bf16 *)operand + r * keys, keys, row);
}
