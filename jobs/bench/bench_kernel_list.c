#include "jobs/bench/bench_kernel_list.h"

#include "core/kernels/activation.h"
#include "core/kernels/loss.h"
#include "core/kernels/norm.h"
#include "core/kernels/residual_add.h"
#include "core/kernels/rows.h"
#include "core/optim/gradient_norm.h"
#include "core/optim/optimizer.h"

/* Of so many activations of the width. */
static struct gg_bench_traffic rows_traffic(const struct gg_bench_arrays *b, double read, double written,
                                            double held) {
    const double widths = (double)b->tokens * (double)b->width * (double)gg_stored_bytes(b->stored);
    return (struct gg_bench_traffic){read * widths, written * widths, held * widths};
}

/* Of so many bytes of each weight. */
static struct gg_bench_traffic weights_traffic(const struct gg_bench_arrays *b, double read, double written,
                                               double held) {
    const double weights = (double)b->graph->table.local_elements;
    return (struct gg_bench_traffic){read * weights, written * weights, held * weights};
}

/* As the model takes them: a few rows at a time, which stay in cache between the passes. */
enum { CACHED_ROWS = 16 };

static struct gg_norm norm_of(const struct gg_bench_arrays *b) {
    return (struct gg_norm){b->stored, true, 1e-5f, b->width, b->graph->config.width};
}

static void norm_forward(const struct gg_bench_arrays *b) {
    const struct gg_norm norm = norm_of(b);
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < b->tokens; t += CACHED_ROWS) {
        const int64_t count = t + CACHED_ROWS < b->tokens ? CACHED_ROWS : b->tokens - t;
        const void *x = gg_at(b->stored, b->x, t * b->width);
        float *sums = b->sums + 2 * t, *squares = sums + count;
        gg_norm_sums(&norm, x, sums, count);
        gg_norm_squares(&norm, x, sums, squares, count);
        gg_norm_apply(&norm, x, sums, squares, b->vector, b->other, gg_at(b->stored, b->y, t * b->width),
                      b->stats + 2 * t, count);
    }
}

/* x, y */
static struct gg_bench_traffic norm_forward_traffic(const struct gg_bench_arrays *b) {
    return rows_traffic(b, 1, 1, 2);
}

static void norm_input(const struct gg_bench_arrays *b) {
    const struct gg_norm norm = norm_of(b);
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < b->tokens; t += CACHED_ROWS) {
        const int64_t count = t + CACHED_ROWS < b->tokens ? CACHED_ROWS : b->tokens - t;
        const void *x = gg_at(b->stored, b->x, t * b->width), *d_y = gg_at(b->stored, b->d_y, t * b->width);
        gg_norm_backward_sums(&norm, x, b->stats + 2 * t, b->vector, d_y, b->sums + 2 * t, count);
        gg_norm_backward_input(&norm, x, b->stats + 2 * t, b->vector, d_y, b->sums + 2 * t, true,
                               gg_at(b->stored, b->d_x, t * b->width), count);
    }
}

/* x, d_y, d_x twice */
static struct gg_bench_traffic norm_input_traffic(const struct gg_bench_arrays *b) {
    return rows_traffic(b, 3, 1, 3);
}

static void norm_parameters(const struct gg_bench_arrays *b) {
    const struct gg_norm norm = norm_of(b);
    gg_norm_backward_parameters(&norm, b->x, b->stats, b->d_y, b->vector, b->other, b->tokens);
}

/* x, d_y */
static struct gg_bench_traffic norm_parameters_traffic(const struct gg_bench_arrays *b) {
    return rows_traffic(b, 2, 0, 2);
}

static void gelu(const struct gg_bench_arrays *b) {
    gg_activation_apply(GG_ACTIVATION_GELU_TANH, b->stored, b->x, b->vector, b->y, b->tokens, 4 * b->width);
}

/* u, y, four widths each */
static struct gg_bench_traffic gelu_traffic(const struct gg_bench_arrays *b) {
    return rows_traffic(b, 4, 4, 8);
}

/* In bf16 the model recomputes y. */
static void gelu_backward(const struct gg_bench_arrays *b) {
    gg_activation_backward(GG_ACTIVATION_GELU_TANH, b->stored, b->x, b->vector, b->d_y, b->d_y,
                           b->stored == GG_PRECISION_BF16 ? b->y : NULL, b->tokens, 4 * b->width);
}

/* u, d twice, in bf16 y */
static struct gg_bench_traffic gelu_backward_traffic(const struct gg_bench_arrays *b) {
    const double recomputed = b->stored == GG_PRECISION_BF16 ? 4 : 0;
    return rows_traffic(b, 8, 4 + recomputed, 8 + recomputed);
}

static void residual(const struct gg_bench_arrays *b) {
    const struct gg_dropout_rows none = {0};
    gg_residual_add(b->stored, b->x, b->d_y, b->vector, &none, b->y, b->tokens, b->width, NULL);
}

/* x, branch, y */
static struct gg_bench_traffic residual_traffic(const struct gg_bench_arrays *b) {
    return rows_traffic(b, 2, 1, 3);
}

static void bias_gradient(const struct gg_bench_arrays *b) {
    gg_bias_gradient(b->stored, b->d_y, b->vector, b->tokens, 4 * b->width);
}

/* d_y, four widths */
static struct gg_bench_traffic bias_gradient_traffic(const struct gg_bench_arrays *b) {
    return rows_traffic(b, 4, 0, 4);
}

static void embedding_forward(const struct gg_bench_arrays *b) {
    const struct gg_fabric local = gg_fabric_local();
    local.embedding_rows(&local, b->embeddings, b->embedding_rows,
                         (size_t)b->width * gg_stored_bytes(b->stored), b->ids, b->tokens, b->y);
    gg_positions_add(b->stored, b->y, b->positions, NULL, b->tokens, b->graph->config.context, b->width);
}

/* rows, y; y twice and a sequence's positions */
static struct gg_bench_traffic embedding_traffic(const struct gg_bench_arrays *b) {
    const double positions = (double)b->graph->config.context * (double)b->width * sizeof(float);
    struct gg_bench_traffic traffic = rows_traffic(b, 2, 2, 2);
    traffic.read += positions;
    traffic.held += positions;
    return traffic;
}

static void embedding_gradient(const struct gg_bench_arrays *b) {
    const struct gg_fabric local = gg_fabric_local();
    local.embedding_gradient(&local, b->stored, b->d_y, b->ids, b->tokens, b->embeddings, b->embedding_rows,
                             b->width);
    gg_positions_gradient(b->stored, b->d_y, b->positions, NULL, b->tokens, b->graph->config.context,
                          b->width);
}

/* d_y, a row of floats twice for each token; d_y and a sequence's positions twice */
static struct gg_bench_traffic embedding_gradient_traffic(const struct gg_bench_arrays *b) {
    const double updated = (double)(b->tokens + b->graph->config.context) * (double)b->width * sizeof(float);
    struct gg_bench_traffic traffic = rows_traffic(b, 2, 0, 1);
    traffic.read += updated;
    traffic.written += updated;
    traffic.held += updated;
    return traffic;
}

/* Bytes of a logit that are read and written; all hold floats. */
static struct gg_bench_traffic logits_traffic(const struct gg_bench_arrays *b, double read, double written) {
    const double logits = (double)b->head_tokens * (double)b->local_vocab;
    return (struct gg_bench_traffic){read * logits, written * logits, sizeof(float) * logits};
}

static struct gg_logits logits_of(const struct gg_bench_arrays *b) {
    return (struct gg_logits){b->logits, b->head_tokens, b->local_vocab, 0, b->local_vocab};
}

static void loss_maximum(const struct gg_bench_arrays *b) {
    const struct gg_logits logits = logits_of(b);
    gg_loss_maximum(&logits, b->largest);
}

static struct gg_bench_traffic loss_maximum_traffic(const struct gg_bench_arrays *b) {
    return logits_traffic(b, 4, 0);
}

static void loss_exponentials(const struct gg_bench_arrays *b) {
    const struct gg_logits logits = logits_of(b);
    gg_loss_exponentials(&logits, b->largest, b->ids, b->sums);
}

/* logits twice */
static struct gg_bench_traffic loss_exponentials_traffic(const struct gg_bench_arrays *b) {
    return logits_traffic(b, 4, 4);
}

static void loss_backward(const struct gg_bench_arrays *b) {
    const struct gg_logits logits = logits_of(b);
    gg_loss_backward(&logits, b->sums, b->ids, NULL, 1, b->stored, b->logits);
}

/* exponentials; gradients, of the activations' precision */
static struct gg_bench_traffic loss_backward_traffic(const struct gg_bench_arrays *b) {
    return logits_traffic(b, 4, (double)gg_stored_bytes(b->stored));
}

static void adamw(const struct gg_bench_arrays *b) {
    const struct gg_optimizer optimizer = {&gg_optimizer_adamw, 0.9, 0.95, 1e-8, 0, 0.1};
    const struct gg_update update = {.table = &b->graph->table,
                                     .to = b->graph->table.local_elements,
                                     .learning_rate = 1e-4,
                                     .step = 1,
                                     .gradient_scale = 1,
                                     .gradients = b->gradients,
                                     .states = {b->exp_avg, b->exp_avg_sq},
                                     .weights = b->weights,
                                     .rounded = b->rounded};
    gg_optimizer_update(&optimizer, &update);
}

/* gradient; exp_avg, exp_avg_sq and weight twice; in bf16 the rounded weight */
static struct gg_bench_traffic adamw_traffic(const struct gg_bench_arrays *b) {
    const double rounded = b->stored == GG_PRECISION_BF16 ? 2 : 0;
    return weights_traffic(b, 16, 12 + rounded, 16 + rounded);
}

static void square_sum(const struct gg_bench_arrays *b) {
    b->largest[0] =
        (float)gg_gradient_square_sum(&b->graph->table, 0, b->graph->table.local_elements, b->gradients);
}

static struct gg_bench_traffic square_sum_traffic(const struct gg_bench_arrays *b) {
    return weights_traffic(b, 4, 0, 4);
}

static void round_weights(const struct gg_bench_arrays *b) {
    gg_bf16_from_floats(b->weights, b->rounded, b->graph->table.local_elements);
}

static struct gg_bench_traffic round_weights_traffic(const struct gg_bench_arrays *b) {
    return weights_traffic(b, 4, 2, 6);
}

static void *take_rows(struct gg_bench_arrays *b, int64_t widths) {
    return gg_arena_take(&b->arena, (size_t)(b->tokens * widths * b->width) * gg_stored_bytes(b->stored));
}

/* Rows all over a table of so many. */
static void take_ids(struct gg_bench_arrays *b, int64_t count, int64_t rows) {
    b->ids = gg_arena_take(&b->arena, (size_t)count * sizeof *b->ids);
    for (int64_t t = 0; b->ids != NULL && t < count; t++)
        b->ids[t] = (int32_t)(t * 7919 % rows);
}

static void lay_out_activations(struct gg_bench_arrays *b) {
    b->x = take_rows(b, 4);
    b->y = take_rows(b, 4);
    b->d_y = take_rows(b, 4);
    b->d_x = take_rows(b, 1);
    b->stats = gg_arena_floats(&b->arena, 2 * b->tokens);
    b->sums = gg_arena_floats(&b->arena, 2 * b->tokens);
    b->vector = gg_arena_floats(&b->arena, 4 * b->width);
    b->other = gg_arena_floats(&b->arena, 4 * b->width);
}

static void lay_out_embedding(struct gg_bench_arrays *b) {
    b->y = take_rows(b, 1);
    b->d_y = take_rows(b, 1);
    take_ids(b, b->tokens, b->embedding_rows);
    b->embeddings = gg_arena_floats(&b->arena, b->embedding_rows * b->width);
    b->positions = gg_arena_floats(&b->arena, b->graph->config.context * b->width);
}

static void lay_out_loss(struct gg_bench_arrays *b) {
    b->logits = gg_arena_floats(&b->arena, b->head_tokens * b->local_vocab);
    b->largest = gg_arena_floats(&b->arena, b->head_tokens);
    b->sums = gg_arena_floats(&b->arena, 2 * b->head_tokens);
    take_ids(b, b->head_tokens, b->local_vocab);
}

static void lay_out_optimizer(struct gg_bench_arrays *b) {
    const int64_t elements = b->graph->table.local_elements;
    b->weights = gg_arena_floats(&b->arena, elements);
    b->gradients = gg_arena_floats(&b->arena, elements);
    b->exp_avg = gg_arena_floats(&b->arena, elements);
    b->exp_avg_sq = gg_arena_floats(&b->arena, elements);
    b->largest = gg_arena_floats(&b->arena, 1);
    b->rounded = NULL;
    if (b->stored == GG_PRECISION_BF16)
        b->rounded = gg_arena_take(&b->arena, (size_t)elements * sizeof *b->rounded);
}

static const struct gg_bench_kernel activations[] = {
    {"norm", norm_forward, norm_forward_traffic, false},
    {"norm, d_input", norm_input, norm_input_traffic, false},
    {"norm, d_parameters", norm_parameters, norm_parameters_traffic, false},
    {"bias + GELU", gelu, gelu_traffic, false},
    {"bias + GELU, backward", gelu_backward, gelu_backward_traffic, false},
    {"residual + bias", residual, residual_traffic, false},
    {"bias, backward", bias_gradient, bias_gradient_traffic, false},
};
static const struct gg_bench_kernel embeddings[] = {
    {"embedding", embedding_forward, embedding_traffic, false},
    {"embedding, backward", embedding_gradient, embedding_gradient_traffic, false},
};
static const struct gg_bench_kernel losses[] = {
    {"loss, maximum", loss_maximum, loss_maximum_traffic, false},
    {"loss, exponentials", loss_exponentials, loss_exponentials_traffic, false},
    {"loss, backward", loss_backward, loss_backward_traffic, false},
};
static const struct gg_bench_kernel optimizer[] = {
    {"gradient norm", square_sum, square_sum_traffic, false},
    {"AdamW", adamw, adamw_traffic, false},
    {"rounding to bf16", round_weights, round_weights_traffic, true},
};

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))
const struct gg_bench_group gg_bench_groups[GG_BENCH_GROUPS] = {
    {"the activations of a layer", lay_out_activations, activations, LENGTH(activations)},
    {"the embedding", lay_out_embedding, embeddings, LENGTH(embeddings)},
    {"the logits", lay_out_loss, losses, LENGTH(losses)},
    {"weights, gradients and optimizer state", lay_out_optimizer, optimizer, LENGTH(optimizer)},
};
