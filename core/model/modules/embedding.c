/* Embedding: y = dropout(E[id] + W[position]), with the token embedding E and positions W that are learned or
 * sinusoidal; or without W. */
#include "core/kernels/positions.h"
#include "core/kernels/residual_add.h"
#include "core/kernels/rows.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

#include <omp.h>
#include <string.h>

struct embedding {
    struct gg_module module; /* parameters: tokens, learned positions or -1 */
};

/* State with sinusoidal positions: their rows. With learned ones on token shards: the numbers of the positions,
 * and rows of W on their way from and to the shards that W is split over. */
struct position_rows {
    int32_t *ids; /* (context) 0, 1, ... */
    float *rows;  /* (context, width) */
};

static bool has_positions(const struct gg_graph *graph) {
    return graph->config.positions == GG_POSITIONS_LEARNED ||
           graph->config.positions == GG_POSITIONS_SINUSOIDAL;
}

static size_t ids_bytes(const struct gg_graph *graph) {
    const size_t line = 64;
    return ((size_t)graph->config.context * sizeof(int32_t) + line - 1) / line * line;
}

static struct position_rows position_state(const struct gg_model *model, const struct gg_step *step) {
    struct position_rows state = {step->at.state, NULL};
    state.rows = (float *)(void *)((char *)step->at.state + ids_bytes(model->graph));
    return state;
}

/* The rows of W from `first` on: where they stand, or fetched. */
static const float *positions(const struct gg_model *model, const struct gg_step *step, int64_t first,
                              int64_t count) {
    const int index = step->module->parameters[1];
    const int64_t width = gg_module_width(model, step->module);
    if (index < 0)
        return (const float *)step->at.state + first * width;
    const float *rows = gg_module_weights(model, index);
    if (model->fabric->shards.token_shards == 1)
        return rows + first * width;
    const struct position_rows state = position_state(model, step);
    for (int64_t i = 0; i < count; i++)
        state.ids[i] = (int32_t)(first + i);
    model->fabric->embedding_rows(model->fabric, rows, gg_module_parameter(model, index)->local_rows,
                                  (size_t)width * sizeof *rows, state.ids, count, state.rows);
    return state.rows;
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_module *module = step->module;
    const enum gg_precision stored = model->graph->config.precision;
    const int64_t width = gg_module_width(model, module), time = pass->batch->time;
    model->fabric->embedding_rows(model->fabric, gg_module_operand(model, module->parameters[0]),
                                  gg_module_parameter(model, module->parameters[0])->local_rows,
                                  (size_t)width * gg_stored_bytes(stored), pass->batch->inputs, pass->tokens,
                                  step->at.y);
    const int64_t together = pass->positions == NULL ? pass->tokens : time; /* tokens of like positions */
    for (int64_t t = 0; t < pass->tokens && has_positions(model->graph); t += together)
        gg_positions_add(stored, gg_at(stored, step->at.y, t * width),
                         positions(model, step, gg_pass_position(pass, t / time), time), pass->batch->starts,
                         together, time, width);
    const struct gg_dropout_rows rows = gg_module_dropout(model, module, pass);
    if (rows.dropout.threshold > 0)
        gg_dropout_apply(stored, step->at.y, &rows, step->at.y, pass->tokens, width, step->at.scratch);
}

/* d_W[position] += d_y. */
static void backward_positions(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_module *module = step->module;
    const struct gg_fabric *fabric = model->fabric;
    const enum gg_precision stored = model->graph->config.precision;
    const int64_t width = gg_module_width(model, module), time = pass->batch->time;
    float *gradients = gg_module_gradients(model, module->parameters[1]);
    if (fabric->shards.token_shards == 1) {
        gg_positions_gradient(stored, step->at.d_y, gradients, pass->batch->starts, pass->tokens, time,
                              width);
        return;
    }
    const struct position_rows state = position_state(model, step);
    memset(state.rows, 0, (size_t)(time * width) * sizeof(float));
    gg_positions_gradient(stored, step->at.d_y, state.rows, pass->batch->starts, pass->tokens, time, width);
    fabric->embedding_gradient(fabric, GG_PRECISION_FP32, state.rows, state.ids, time, gradients,
                               gg_module_parameter(model, module->parameters[1])->local_rows, width);
}

/* d_E[id] += d, d_W[position] += d, with d = mask d_y. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_module *module = step->module;
    const struct gg_fabric *fabric = model->fabric;
    const enum gg_precision stored = model->graph->config.precision;
    const int64_t width = gg_module_width(model, module);
    const struct gg_dropout_rows rows = gg_module_dropout(model, module, pass);
    if (rows.dropout.threshold > 0)
        gg_dropout_apply(stored, step->at.d_y, &rows, step->at.d_y, pass->tokens, width, step->at.scratch);
    fabric->embedding_gradient(fabric, stored, step->at.d_y, pass->batch->inputs, pass->tokens,
                               gg_module_gradients(model, module->parameters[0]),
                               gg_module_parameter(model, module->parameters[0])->local_rows, width);
    if (module->parameters[1] >= 0)
        backward_positions(model, step, pass);
}

static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    (void)local_sequences;
    const int64_t width = graph->tensors[module->output].local_features;
    if (use == GG_MODEL_TRAIN && graph->config.dropout > 0)
        needs->scratch = gg_residual_workspace_bytes(width, omp_get_max_threads());
    const size_t rows_bytes = (size_t)(graph->config.context * width) * sizeof(float);
    if (graph->config.positions == GG_POSITIONS_SINUSOIDAL)
        needs->state = rows_bytes;
    else if (graph->config.positions == GG_POSITIONS_LEARNED && graph->shards.token_shards > 1)
        needs->state = ids_bytes(graph) + rows_bytes;
}

static void prepare(struct gg_model *model, const struct gg_step *step) {
    const int64_t width = gg_module_width(model, step->module);
    if (model->graph->config.positions == GG_POSITIONS_SINUSOIDAL)
        gg_sinusoids(step->at.state, model->graph->config.context, model->graph->config.width,
                     model->fabric->shards.feature_index * width, width);
}

const struct gg_module_kind gg_embedding_kind = {
    .kernel = GG_KERNEL_EMBEDDING,
    .forward = forward,
    .pieces = {{backward, GG_KERNEL_EMBEDDING, GG_MAKES_PARAMETER_GRADIENT}},
    .prepare = prepare,
    .needs = needs,
};

int gg_build_embedding(struct gg_builder *b, const char *token_weight, const char *position_weight) {
    const struct gg_model_config *config = gg_build_config(b);
    const struct gg_shards *shards = gg_build_shards(b);
    const int64_t q = shards->token_shards, padded_context = (config->context + q - 1) / q * q;
    struct embedding *embedding = gg_build_module(b, &gg_embedding_kind, sizeof *embedding, config->width,
                                                  config->width / shards->feature_shards);
    embedding->module.parameters[0] =
        gg_build_embedding_table(b, token_weight, config->vocab, config->padded_vocab, config->width);
    if (config->positions == GG_POSITIONS_LEARNED)
        embedding->module.parameters[1] =
            gg_build_embedding_table(b, position_weight, config->context, padded_context, config->width);
    embedding->module.site = gg_build_site(b);
    return embedding->module.output;
}
