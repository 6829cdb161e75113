/* The few things a model needs from the machine: what differs between one rank and a grid of ranks.
 *
 * A fabric is P x Q: features are split over P shards, tokens over Q. The model calls it with local sizes of
 * activations and whole sizes of weights. core/ implements it for one rank (gg_fabric_local); mpi/ implements
 * it over a process grid. All operations are collective over the fabric's ranks, with the same shapes on
 * each.
 */
#ifndef GG_CORE_MODEL_FABRIC_H
#define GG_CORE_MODEL_FABRIC_H

#include "core/base/precision.h"
#include "core/model/shards.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A linear map y = x W, in whole sizes. x and y are row-major (tokens, features); a rank holds in/P of the
 * input's and out/P of the output's features, in blocks of in_block and out_block dealt out in turns. */
struct gg_linear {
    int64_t in, out;
    int64_t in_block, out_block;
    bool transposed; /* W is stored (out, in): the tied embedding as the head */

    enum gg_precision precision; /* of x, W, dy and dx; products are summed in fp32 */
    enum gg_precision output;    /* of y; fp32 with fp32 operands */
};

enum gg_product {
    GG_PRODUCT_FORWARD,         /* y  = x W        a = x,  b = W,  c = y  */
    GG_PRODUCT_INPUT_GRADIENT,  /* dx = dy W^T     a = dy, b = W,  c = dx */
    GG_PRODUCT_WEIGHT_GRADIENT, /* dW += x^T dy    a = x,  b = dy, c = dW, which is fp32 */
};

struct gg_fabric {
    struct gg_shards shards;
    void *self;

    /* One of the three products of a linear map.
     *   local_tokens [in]  rows of this rank's activations
     *   a, b         [in]  see gg_product; this rank's parts
     *   accumulate   [in]  c += instead of c =
     *   c            [in,out] must not alias a or b */
    void (*matmul)(const struct gg_fabric *fabric, enum gg_product product, const struct gg_linear *linear,
                   int64_t local_tokens, const void *a, const void *b, bool accumulate, void *c);

    /* y = x W of a few rows, each the next token of a text: what a row becomes does not depend on the others, to
     * the last bit. NULL: this fabric has no such product, and takes `matmul`, of equally many rows each time. */
    void (*matmul_few)(const struct gg_fabric *fabric, const struct gg_linear *linear, int64_t rows,
                       const void *x, const void *w, void *y);

    /* Elementwise sum and maximum over the feature shards of this rank's token shard, in place. */
    void (*feature_sum)(const struct gg_fabric *fabric, float *values, int64_t count);
    void (*feature_max)(const struct gg_fabric *fabric, float *values, int64_t count);

    /* whole = the shards' values, in order of p, on every shard. whole (count * P) */
    void (*feature_gather)(const struct gg_fabric *fabric, const float *values, int64_t count, float *whole);

    /* Elementwise sum over the token shards of this rank's feature shard, in place. */
    void (*token_sum)(const struct gg_fabric *fabric, float *values, int64_t count);

    /* Rows of an embedding: out[t, :] = table[ids[t], :], the table's rows being split over token shards.
     *   ids         [in]  (local_tokens) whole row numbers
     *   local_rows  [in]  rows of this rank's part of the table
     *   row_bytes   [in]  of this rank's columns, in whatever precision
     *   out         [out] (local_tokens, row_bytes) */
    void (*embedding_rows)(const struct gg_fabric *fabric, const void *table, int64_t local_rows,
                           size_t row_bytes, const int32_t *ids, int64_t local_tokens, void *out);

    /* Its backward pass: gradient[ids[t], :] += d_out[t, :].
     *   stored      [in]  precision of d_out; the gradient is fp32 */
    void (*embedding_gradient)(const struct gg_fabric *fabric, enum gg_precision stored, const void *d_out,
                               const int32_t *ids, int64_t local_tokens, float *gradient, int64_t local_rows,
                               int64_t local_width);
};

/* The fabric of a replica that is one rank. */
struct gg_fabric gg_fabric_local(void);

#endif
