/* What both passes of attention share: a (sequence, head) pair, its blocks, and a thread's scratch.
 *
 * A pair's scores are taken in blocks of query rows and keys, small enough for the second-level cache; blocks
 * whose keys all come after their queries, or before their windows, are skipped.
 */
#ifndef GG_CORE_KERNELS_ATTENTION_ATTENTION_PAIR_INTERNAL_H
#define GG_CORE_KERNELS_ATTENTION_ATTENTION_PAIR_INTERNAL_H

#include "core/kernels/attention/attention.h"
#include "core/kernels/matmul/matmul.h"

enum { GG_QUERY_ROWS = 128, GG_KEY_ROWS = 256, GG_KEY_STEP = 64 };

/* A thread's scratch. Operands are bf16 in bf16, and the floats themselves in fp32. */
struct gg_attention_scratch {
    float *scores, *d_scores;              /* (rows, keys) of a block */
    void *probabilities, *d_probabilities; /* the same as operands */
    float *mask;                           /* (keys): dropout multipliers */
    float *largest, *sums;                 /* (rows): of the scores, and of their exponentials */
    float *out;                            /* (rows, head_size): sums over blocks, as those below */
    float *d_key, *d_value;                /* (keys, head_size) of a block; of a group all keys' */
    float *d_query;                        /* (time, head_size) */
    float *products;                       /* (time): D of the backward pass */
};

struct gg_attention_pair {
    const struct gg_attention *shape;
    int64_t sequence, head;
    int64_t first;         /* position of the first query */
    const int32_t *starts; /* of this sequence, or NULL */
    const void *query, *key, *value;
    float scale;
    struct gg_attention_scratch scratch;
};

/* Queries [start, start + rows) and keys [key, key + keys). */
struct gg_attention_block {
    int64_t start, rows, key, keys;
    bool begun; /* earlier keys of these queries have been worked on */
};

/* Query heads of each key-value head. */
static inline int64_t gg_attention_group(const struct gg_attention *shape) {
    return shape->heads / shape->kv_heads;
}

/* index: of the pairs of sequences and query heads. */
struct gg_attention_pair gg_attention_pair_make(const struct gg_attention *shape, int64_t index,
                                                const void *query, const void *key, const void *value,
                                                void *workspace);

/* The first key that a query sees: of its window, and of its text. */
static inline int64_t gg_attention_seen_from(const struct gg_attention_pair *p, int64_t query) {
    const int64_t window = p->shape->window, first = p->first + query - window + 1;
    const int64_t from = window == 0 || first < 0 ? 0 : first;
    return p->starts != NULL && p->starts[query] > from ? p->starts[query] : from;
}

/* Where the keys begin that a block of queries is worked on with, `start` being the first: in steps, because a
 * library's bf16 product is made for its shape. A step never reaches from one block of GG_KEY_ROWS keys into the
 * one before. With texts that begin later a query may see none of the first keys. */
_Static_assert(GG_KEY_ROWS % GG_KEY_STEP == 0, "see above");
static inline int64_t gg_attention_first_key(const struct gg_attention_pair *p, int64_t start) {
    return gg_attention_seen_from(p, start) / GG_KEY_STEP * GG_KEY_STEP;
}

/* Query start + r sees a block's keys [hidden, visible), or none: those before come before its window or text. */
static inline int64_t gg_attention_hidden(const struct gg_attention_pair *p,
                                          const struct gg_attention_block *b, int64_t r) {
    const int64_t hidden = gg_attention_seen_from(p, b->start + r) - b->key;
    return hidden < 0 ? 0 : hidden < b->keys ? hidden : b->keys;
}

static inline int64_t gg_attention_visible(const struct gg_attention_pair *p,
                                           const struct gg_attention_block *b, int64_t r) {
    const int64_t visible = p->first + b->start + r + 1 - b->key;
    return visible < 0 ? 0 : visible < b->keys ? visible : b->keys;
}

/* The keys that are worked on for a query that sees [hidden, visible): whole vectors, to be quick. */
static inline int64_t gg_attention_worked_from(int64_t hidden) {
    return hidden / 16 * 16;
}

static inline int64_t gg_attention_worked(const struct gg_attention_block *b, int64_t visible) {
    const int64_t rounded = (visible + 15) / 16 * 16;
    return rounded < b->keys ? rounded : b->keys;
}

/* Where the row of a query, a key or a value begins. */
static inline const void *gg_attention_query(const struct gg_attention_pair *p, int64_t row) {
    return gg_at(p->shape->stored, p->query, row * p->shape->query_stride);
}

static inline const void *gg_attention_key(const struct gg_attention_pair *p, const void *values,
                                           int64_t row) {
    return gg_at(p->shape->stored, values, row * p->shape->key_stride);
}

/* c = op(A) op(B), or +=, with operands as they are stored and a float32 result. */
void gg_attention_multiply(const struct gg_attention_pair *p, enum gg_transpose transpose_a,
                           enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                           int64_t lda, const void *b, int64_t ldb, bool accumulate, float *c, int64_t ldc);

/* scratch.scores = Q K^T of a block, unscaled. */
void gg_attention_scores(const struct gg_attention_pair *p, const struct gg_attention_block *b);

/* scratch.mask [hidden, visible) = dropout multipliers of query start + r and those keys of a block. */
void gg_attention_mask(const struct gg_attention_pair *p, const struct gg_attention_block *b, int64_t r,
                       int64_t hidden, int64_t visible);

/* Row r of a block of `keys` keys as an operand; nothing to do in fp32. */
void gg_attention_row_operand(const struct gg_attention_pair *p, const float *row, int64_t r, int64_t keys,
                              void *operand);

#endif
