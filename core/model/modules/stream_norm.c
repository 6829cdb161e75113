/* Normalisation of the stream over features: layer norm, y = gain (x - mean) / deviation + bias, or RMSNorm, without
 * mean and bias (kernels/norm.h). */
#include "core/kernels/norm.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

struct stream_norm {
    struct gg_module module; /* parameters: gain, bias or -1 */
};

static struct gg_norm shape_of(const struct gg_model *model, const struct gg_module *module) {
    const struct gg_model_config *config = &model->graph->config;
    return (struct gg_norm){.stored = config->precision,
                            .centred = config->norm == GG_NORM_LAYERNORM,
                            .epsilon = (float)config->norm_eps,
                            .width = gg_module_width(model, module),
                            .whole_width = model->graph->tensors[module->output].features};
}

/* Rows taken at once: all where features are split, so that one exchange serves them; few where they are not,
 * so that they stay in cache from pass to pass. */
static int64_t rows_at_once(const struct gg_model *model, int64_t tokens) {
    return model->fabric->shards.feature_shards > 1 ? tokens : GG_CACHED_ROWS;
}

static void forward_rows(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass,
                         int64_t start, int64_t count) {
    (void)pass;
    const struct gg_norm norm = shape_of(model, step->module);
    const struct gg_fabric *fabric = model->fabric;
    const int bias = step->module->parameters[1];
    const void *x = gg_at(norm.stored, step->at.x[0], start * norm.width);
    float *sums = (float *)step->at.scratch + 2 * start, *squares = sums + count;
    if (norm.centred) {
        gg_norm_sums(&norm, x, sums, count);
        fabric->feature_sum(fabric, sums, count);
    }
    gg_norm_squares(&norm, x, sums, squares, count);
    fabric->feature_sum(fabric, squares, count);
    gg_norm_apply(&norm, x, sums, squares, gg_module_weights(model, step->module->parameters[0]),
                  bias >= 0 ? gg_module_weights(model, bias) : NULL,
                  gg_at(norm.stored, step->at.y, start * norm.width), (float *)step->at.saved + 2 * start,
                  count);
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const int64_t rows = rows_at_once(model, pass->tokens);
#pragma omp parallel for schedule(static) if (model->fabric->shards.feature_shards == 1)
    for (int64_t start = 0; start < pass->tokens; start += rows)
        forward_rows(model, step, pass, start, start + rows < pass->tokens ? rows : pass->tokens - start);
}

/* d_gain += sum over tokens of d_y xhat, d_bias += sum over tokens of d_y. */
static void backward_parameters(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_norm norm = shape_of(model, step->module);
    const int bias = step->module->parameters[1];
    gg_norm_backward_parameters(&norm, step->at.x[0], step->at.saved, step->at.d_y,
                                gg_module_gradients(model, step->module->parameters[0]),
                                bias >= 0 ? gg_module_gradients(model, bias) : NULL, pass->tokens);
}

/* d_x = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / deviation, with dxhat = d_y gain; RMSNorm: without the
 * first mean. */
static void backward_input(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_norm norm = shape_of(model, step->module);
    const struct gg_fabric *fabric = model->fabric;
    const int64_t rows = rows_at_once(model, pass->tokens);
    const float *gain = gg_module_weights(model, step->module->parameters[0]);
#pragma omp parallel for schedule(static) if (fabric->shards.feature_shards == 1)
    for (int64_t start = 0; start < pass->tokens; start += rows) {
        const int64_t count = start + rows < pass->tokens ? rows : pass->tokens - start,
                      at = start * norm.width;
        const void *x = gg_at(norm.stored, step->at.x[0], at);
        const void *d_y = gg_at(norm.stored, step->at.d_y, at);
        const float *stats = (const float *)step->at.saved + 2 * start;
        float *sums = (float *)step->at.scratch + 2 * start;
        gg_norm_backward_sums(&norm, x, stats, gain, d_y, sums, count);
        fabric->feature_sum(fabric, sums, 2 * count);
        gg_norm_backward_input(&norm, x, stats, gain, d_y, sums, step->add,
                               gg_at(norm.stored, step->at.d_x[0], at), count);
    }
}

/* saved: (tokens, 2) mean and 1/deviation; scratch: (tokens, 2) sums. */
static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    (void)module, (void)use;
    needs->saved = needs->scratch = (size_t)(2 * local_sequences * graph->config.context) * sizeof(float);
}

const struct gg_module_kind gg_stream_norm_kind = {
    .kernel = GG_KERNEL_RESIDUAL_NORM,
    .forward = forward,
    .forward_rows = forward_rows,
    .rows_exchange = true,
    .pieces = {{backward_parameters, GG_KERNEL_RESIDUAL_NORM,
                GG_READS_X | GG_READS_SAVED | GG_MAKES_PARAMETER_GRADIENT},
               {backward_input, GG_KERNEL_RESIDUAL_NORM,
                GG_READS_X | GG_READS_SAVED | GG_MAKES_INPUT_GRADIENT}},
    .needs = needs,
};

int gg_build_norm(struct gg_builder *b, const char *name, int x) {
    const struct gg_tensor in = *gg_build_tensor(b, x);
    struct stream_norm *norm = gg_build_module(b, &gg_stream_norm_kind, sizeof *norm, in.features, in.block);
    gg_build_input(b, &norm->module, x);
    gg_build_enter(b, "%s.", name);
    norm->module.parameters[0] = gg_build_vector(b, "weight", in.features, in.block, GG_INITIAL_ONE);
    if (gg_build_config(b)->norm == GG_NORM_LAYERNORM && gg_build_config(b)->biases)
        norm->module.parameters[1] = gg_build_vector(b, "bias", in.features, in.block, GG_INITIAL_ZERO);
    gg_build_leave(b);
    return norm->module.output;
}
