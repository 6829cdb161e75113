/* The kinds of steps. Above each backward pass stands its formula; d_y is the gradient of the step's output.
 */
#include "core/model/step.h"

#include "core/kernels/activation.h"
#include "core/kernels/attention.h"
#include "core/kernels/norm.h"
#include "core/kernels/residual.h"
#include "core/kernels/rows.h"

#include <omp.h>
#include <string.h>

size_t gg_step_scratch_bytes(const struct gg_gpt_config *config, const struct gg_fabric *fabric) {
    const int threads = omp_get_max_threads();
    const size_t attention = gg_attention_workspace_bytes(config->precision, config->context,
                                                          config->width / config->heads, threads);
    const size_t rows = gg_residual_workspace_bytes(config->width / fabric->feature_shards, threads);
    return attention > rows ? attention : rows;
}

static enum gg_precision precision_of(const struct gg_gpt *gpt) {
    return gpt->config.precision;
}

const void *gg_operand_weights(const struct gg_gpt *gpt, int64_t offset) {
    return precision_of(gpt) == GG_PRECISION_BF16 ? (const void *)(gpt->rounded_weights + offset)
                                                  : (const void *)(gpt->weights + offset);
}

static struct gg_dropout_rows dropout_rows(const struct gg_gpt *gpt, const struct gg_step *step,
                                           const struct gg_pass *pass) {
    struct gg_dropout_rows rows = {
        .dropout = gpt->dropout,
        .site = step->site,
        .sample_ids = pass->batch->sample_ids,
        .time = pass->batch->time,
        .context = gpt->config.context,
        .whole_width = gpt->config.width,
        .first_feature = gpt->fabric->feature_index * step->width,
    };
    if (!pass->dropout)
        rows.dropout.threshold = 0;
    return rows;
}

/* Embedding: y = dropout(wte[id] + wpe[position]). weight: wte, bias: wpe. */

/* The rows of wpe from `first` on: where they stand, or fetched from the token shards they are split over. */
static const float *position_rows(const struct gg_gpt *gpt, const struct gg_step *step, int64_t first,
                                  int64_t count) {
    const struct gg_parameter *wpe = &gpt->table->items[1];
    const float *rows = gpt->weights + step->bias;
    if (gpt->fabric->token_shards == 1)
        return rows + first * step->width;
    gpt->fabric->embedding_rows(gpt->fabric, rows, wpe->local_rows, (size_t)step->width * sizeof *rows,
                                gpt->position_ids + first, count, gpt->position_rows);
    return gpt->position_rows;
}

static void embedding_forward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_parameter *wte = &gpt->table->items[0];
    const enum gg_precision stored = precision_of(gpt);
    const int64_t width = step->width, time = pass->batch->time;
    gpt->fabric->embedding_rows(gpt->fabric, gg_operand_weights(gpt, step->weight), wte->local_rows,
                                (size_t)width * gg_stored_bytes(stored), pass->batch->inputs, pass->tokens,
                                step->y);
    gg_positions_add(stored, step->y, position_rows(gpt, step, pass->position, time), pass->tokens, time,
                     width);
    const struct gg_dropout_rows rows = dropout_rows(gpt, step, pass);
    if (rows.dropout.threshold > 0)
        gg_dropout_apply(stored, step->y, &rows, step->y, pass->tokens, width, gpt->scratch);
}

/* d_wte[id] += d, d_wpe[position] += d, with d = mask d_y. */
static void embedding_backward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_parameter *wte = &gpt->table->items[0];
    const struct gg_dropout_rows rows = dropout_rows(gpt, step, pass);
    const enum gg_precision stored = precision_of(gpt);
    const int64_t width = step->width, time = pass->batch->time;
    if (rows.dropout.threshold > 0)
        gg_dropout_apply(stored, step->d_y, &rows, step->d_y, pass->tokens, width, gpt->scratch);
    gpt->fabric->embedding_gradient(gpt->fabric, stored, step->d_y, pass->batch->inputs, pass->tokens,
                                    gpt->gradients + step->weight, wte->local_rows, wte->local_columns);
    float *positions = gpt->gradients + step->bias;
    if (gpt->fabric->token_shards == 1) {
        gg_positions_gradient(stored, step->d_y, positions, pass->tokens, time, width);
        return;
    }
    memset(gpt->position_rows, 0, (size_t)(time * width) * sizeof(float));
    gg_positions_gradient(stored, step->d_y, gpt->position_rows, pass->tokens, time, width);
    gpt->fabric->embedding_gradient(gpt->fabric, GG_PRECISION_FP32, gpt->position_rows, gpt->position_ids,
                                    time, positions, gpt->table->items[1].local_rows, width);
}

/* Norm: y = gain (x - mean) / deviation + bias. weight: gain. */

/* Rows taken at once: all where features are split, so that one exchange serves them; few where they are not,
 * so that they stay in cache from pass to pass. */
static int64_t norm_rows(const struct gg_gpt *gpt, int64_t tokens) {
    enum { CACHED_ROWS = 16 };
    return gpt->fabric->feature_shards > 1 ? tokens : CACHED_ROWS;
}

static void norm_forward_rows(struct gg_gpt *gpt, const struct gg_step *step, int64_t start, int64_t count) {
    const struct gg_fabric *fabric = gpt->fabric;
    const int64_t width = step->width, whole = gpt->config.width;
    const enum gg_precision stored = precision_of(gpt);
    const void *x = gg_at(stored, step->x, start * width);
    float *sums = gpt->token_sums + 2 * start, *squares = sums + count;
    gg_norm_sums(stored, x, sums, count, width);
    fabric->feature_sum(fabric, sums, count);
    gg_norm_squares(stored, x, sums, squares, count, width, whole);
    fabric->feature_sum(fabric, squares, count);
    gg_norm_apply(stored, x, sums, squares, gpt->weights + step->weight, gpt->weights + step->bias,
                  gg_at(stored, step->y, start * width), step->stats + 2 * start, count, width, whole);
}

static void norm_forward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const int64_t rows = norm_rows(gpt, pass->tokens);
#pragma omp parallel for schedule(static) if (gpt->fabric->feature_shards == 1)
    for (int64_t start = 0; start < pass->tokens; start += rows)
        norm_forward_rows(gpt, step, start, start + rows < pass->tokens ? rows : pass->tokens - start);
}

/* d_x += dxhat-part of the norm (norm.h); d_gain, d_bias += sums over tokens. d_x: the stream's gradient. */
static void norm_backward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_fabric *fabric = gpt->fabric;
    const int64_t width = step->width, whole = gpt->config.width, rows = norm_rows(gpt, pass->tokens);
    const enum gg_precision stored = precision_of(gpt);
    const float *gain = gpt->weights + step->weight;
    gg_norm_backward_parameters(stored, step->x, step->stats, step->d_y, gpt->gradients + step->weight,
                                gpt->gradients + step->bias, pass->tokens, width);
#pragma omp parallel for schedule(static) if (fabric->feature_shards == 1)
    for (int64_t start = 0; start < pass->tokens; start += rows) {
        const int64_t count = start + rows < pass->tokens ? rows : pass->tokens - start;
        const void *x = gg_at(stored, step->x, start * width);
        const void *d_y = gg_at(stored, step->d_y, start * width);
        const float *stats = step->stats + 2 * start;
        float *sums = gpt->token_sums + 2 * start;
        gg_norm_backward_sums(stored, x, stats, gain, d_y, sums, count, width);
        fabric->feature_sum(fabric, sums, 2 * count);
        gg_norm_backward_input(stored, x, stats, gain, d_y, sums, gg_at(stored, step->d_x, start * width),
                               count, width, whole);
    }
}

/* Linear: y = x W; the bias is added by the step that follows. */

static void linear_forward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    gpt->fabric->matmul(gpt->fabric, GG_PRODUCT_FORWARD, &step->linear, pass->tokens, step->x,
                        gg_operand_weights(gpt, step->weight), false, step->y);
}

/* d_W += x^T d_y. */
static void linear_backward_weight(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    gpt->fabric->matmul(gpt->fabric, GG_PRODUCT_WEIGHT_GRADIENT, &step->linear, pass->tokens, step->x,
                        step->d_y, true, gpt->gradients + step->weight);
}

/* d_x = d_y W^T. */
static void linear_backward_input(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    gpt->fabric->matmul(gpt->fabric, GG_PRODUCT_INPUT_GRADIENT, &step->linear, pass->tokens, step->d_y,
                        gg_operand_weights(gpt, step->weight), false, step->d_x);
}

static void linear_backward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    linear_backward_weight(gpt, step, pass);
    linear_backward_input(gpt, step, pass);
}

static void nothing(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    (void)gpt, (void)step, (void)pass;
}

/* Attention: y = softmax(q k^T / sqrt(HS)) v with q, k, v = x + bias side by side. width: of q. */

static struct gg_attention attention_shape(const struct gg_gpt *gpt, const struct gg_step *step,
                                           const struct gg_pass *pass) {
    const struct gg_gpt_config *config = &gpt->config;
    const int64_t heads = config->heads / gpt->fabric->feature_shards;
    struct gg_attention shape = {
        .stored = precision_of(gpt),
        .sequences = pass->batch->sequences,
        .time = pass->batch->time,
        .first = pass->position,
        .heads = heads,
        .head_size = config->width / config->heads,
        .query_stride = 3 * step->width,
        .key_stride = 3 * step->width,
        .key_sequence_stride = pass->batch->time * 3 * step->width,
        .key_rows = pass->batch->time,
        .dropout = gpt->dropout,
        .site = step->site,
        .first_head = gpt->fabric->feature_index * heads,
        .whole_heads = config->heads,
        .context = config->context,
        .sample_ids = pass->batch->sample_ids,
    };
    if (!pass->dropout)
        shape.dropout.threshold = 0;
    return shape;
}

/* Puts the new tokens' keys and values behind those of the cache. */
static void cache_append(const struct gg_gpt *gpt, const struct gg_step *step, const struct gg_pass *pass) {
    const enum gg_precision stored = precision_of(gpt);
    const int64_t width = step->width, time = pass->batch->time;
    for (int64_t t = 0; t < pass->tokens; t++) {
        const int64_t row = t / time * gpt->config.context + pass->position + t % time;
        memcpy(gg_at(stored, step->cache, row * 2 * width), gg_at(stored, step->x, t * 3 * width + width),
               (size_t)(2 * width) * gg_stored_bytes(stored));
    }
}

static void attention_forward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    struct gg_attention shape = attention_shape(gpt, step, pass);
    const enum gg_precision stored = shape.stored;
    const int64_t width = step->width;
    /* The linear step's output is this step's to finish. */
    gg_bias_add(stored, step->x, gpt->weights + step->bias, pass->tokens, 3 * width);
    const void *key = gg_at(stored, step->x, width), *value = gg_at(stored, step->x, 2 * width);
    if (step->cache != NULL) {
        cache_append(gpt, step, pass);
        key = step->cache;
        value = gg_at(stored, step->cache, width);
        shape.key_stride = 2 * width;
        shape.key_sequence_stride = gpt->config.context * 2 * width;
        shape.key_rows = gpt->config.context;
    }
    gg_attention_forward(&shape, step->x, key, value, step->y, step->stats, gpt->scratch);
}

/* See attention.h; d_bias += sum over tokens of d_x. */
static void attention_backward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_attention shape = attention_shape(gpt, step, pass);
    const enum gg_precision stored = shape.stored;
    const int64_t width = step->width;
    gg_attention_backward(&shape, step->x, gg_at(stored, step->x, width), gg_at(stored, step->x, 2 * width),
                          step->y, step->stats, step->d_y, step->d_x, gg_at(stored, step->d_x, width),
                          gg_at(stored, step->d_x, 2 * width), gpt->scratch);
    gg_bias_gradient(stored, step->d_x, gpt->gradients + step->bias, pass->tokens, 3 * width);
}

/* GELU: y = gelu(x + bias). */

static void gelu_forward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    gg_gelu(precision_of(gpt), step->x, gpt->weights + step->bias, step->y, pass->tokens, step->width);
}

/* d_x = d_y gelu'(x + bias), d_bias += sum over tokens of d_x. d_x is d_y. */
static void gelu_backward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    gg_gelu_backward(precision_of(gpt), step->x, gpt->weights + step->bias, step->d_y, step->d_x,
                     step->remakes_y ? step->y : NULL, pass->tokens, step->width);
    gg_bias_gradient(precision_of(gpt), step->d_x, gpt->gradients + step->bias, pass->tokens, step->width);
}

/* Residual: y = residual + dropout(x + bias). */

static void residual_forward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_dropout_rows rows = dropout_rows(gpt, step, pass);
    gg_residual_add(precision_of(gpt), step->residual, step->x, gpt->weights + step->bias, &rows, step->y,
                    pass->tokens, step->width, gpt->scratch);
}

static void residual_forward_row(struct gg_gpt *gpt, const struct gg_step *step,
                                 const struct gg_dropout_rows *rows, int64_t t) {
    const enum gg_precision stored = precision_of(gpt);
    const int64_t at = t * step->width;
    float *mask = NULL;
    if (rows->dropout.threshold > 0) {
        mask = (float *)gpt->scratch + omp_get_thread_num() * step->width;
        gg_dropout_row(rows, t, step->width, mask);
    }
    gg_residual_add_row(stored, gg_at(stored, step->residual, at), gg_at(stored, step->x, at),
                        gpt->weights + step->bias, mask, gg_at(stored, step->y, at), step->width);
}

/* The same, and the norm of the stream, which is the step after this: while the rows are in cache. */
static void residual_forward_joined(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_step *norm = step + 1;
    const struct gg_dropout_rows dropout = dropout_rows(gpt, step, pass);
    const int64_t rows = norm_rows(gpt, pass->tokens);
    if (gpt->fabric->feature_shards > 1) { /* the norm exchanges sums of all rows at once */
        residual_forward(gpt, step, pass);
        norm_forward(gpt, norm, pass);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t start = 0; start < pass->tokens; start += rows) {
        const int64_t count = start + rows < pass->tokens ? rows : pass->tokens - start;
        for (int64_t t = start; t < start + count; t++)
            residual_forward_row(gpt, step, &dropout, t);
        norm_forward_rows(gpt, norm, start, count);
    }
}

/* d_residual = d_y stays where it is; d_x = mask d_y (without dropout d_x is d_y), d_bias += sum of d_x. */
static void residual_backward(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_dropout_rows rows = dropout_rows(gpt, step, pass);
    if (rows.dropout.threshold > 0)
        gg_dropout_apply(precision_of(gpt), step->d_y, &rows, step->d_x, pass->tokens, step->width,
                         gpt->scratch);
    gg_bias_gradient(precision_of(gpt), step->d_x, gpt->gradients + step->bias, pass->tokens, step->width);
}

const struct gg_step_kind gg_step_embedding = {GG_KERNEL_EMBEDDING, embedding_forward, embedding_backward,
                                               NULL};
const struct gg_step_kind gg_step_norm = {GG_KERNEL_RESIDUAL_NORM, norm_forward, norm_backward, NULL};
const struct gg_step_kind gg_step_linear = {GG_KERNEL_MATMUL, linear_forward, linear_backward, NULL};
const struct gg_step_kind gg_step_linear_input = {GG_KERNEL_MATMUL, linear_forward, linear_backward_input,
                                                  NULL};
const struct gg_step_kind gg_step_linear_weight = {GG_KERNEL_MATMUL, nothing, linear_backward_weight, NULL};
const struct gg_step_kind gg_step_attention = {GG_KERNEL_ATTENTION, attention_forward, attention_backward,
                                               NULL};
const struct gg_step_kind gg_step_gelu = {GG_KERNEL_ACTIVATION, gelu_forward, gelu_backward, NULL};
const struct gg_step_kind gg_step_residual = {GG_KERNEL_RESIDUAL_NORM, residual_forward, residual_backward,
                                              residual_forward_joined};
