/* Layer normalisation: y = gain (x - mean) / deviation + bias, over features (kernels/norm.h). */
#include "core/kernels/norm.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

struct layer_norm {
    struct gg_module module; /* parameters: gain, bias */
};

static struct gg_norm norm_of(const struct gg_model *model, const struct gg_module *module) {
    return (struct gg_norm){.stored = model->graph->config.precision,
                            .centred = true,
                            .epsilon = 1e-5f, /* GPT-2's */
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
    const struct gg_module *module = step->module;
    const struct gg_fabric *fabric = model->fabric;
    const struct gg_norm norm = norm_of(model, module);
    const enum gg_precision stored = norm.stored;
    const int64_t width = norm.width;
    const void *x = gg_at(stored, step->at.x[0], start * width);
    float *sums = (float *)step->at.scratch + 2 * start, *squares = sums + count;
    gg_norm_sums(&norm, x, sums, count);
    fabric->feature_sum(fabric, sums, count);
    gg_norm_squares(&norm, x, sums, squares, count);
    fabric->feature_sum(fabric, squares, count);
    gg_norm_apply(&norm, x, sums, squares, gg_module_weights(model, module->parameters[0]),
                  gg_module_weights(model, module->parameters[1]), gg_at(stored, step->at.y, start * width),
                  (float *)step->at.saved + 2 * start, count);
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const int64_t rows = rows_at_once(model, pass->tokens);
#pragma omp parallel for schedule(static) if (model->fabric->shards.feature_shards == 1)
    for (int64_t start = 0; start < pass->tokens; start += rows)
        forward_rows(model, step, pass, start, start + rows < pass->tokens ? rows : pass->tokens - start);
}

/* d_gain += sum over tokens of d_y xhat, d_bias += sum over tokens of d_y. */
static void backward_parameters(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_module *module = step->module;
    const struct gg_norm norm = norm_of(model, module);
    gg_norm_backward_parameters(&norm, step->at.x[0], step->at.saved, step->at.d_y,
                                gg_module_gradients(model, module->parameters[0]),
                                gg_module_gradients(model, module->parameters[1]), pass->tokens);
}

/* d_x = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / deviation, with dxhat = d_y gain. */
static void backward_input(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_module *module = step->module;
    const struct gg_fabric *fabric = model->fabric;
    const struct gg_norm norm = norm_of(model, module);
    const enum gg_precision stored = norm.stored;
    const int64_t width = norm.width;
    const int64_t rows = rows_at_once(model, pass->tokens);
    const float *gain = gg_module_weights(model, module->parameters[0]);
#pragma omp parallel for schedule(static) if (fabric->shards.feature_shards == 1)
    for (int64_t start = 0; start < pass->tokens; start += rows) {
        const int64_t count = start + rows < pass->tokens ? rows : pass->tokens - start;
        const void *x = gg_at(stored, step->at.x[0], start * width);
        const void *d_y = gg_at(stored, step->at.d_y, start * width);
        const float *stats = (const float *)step->at.saved + 2 * start;
        float *sums = (float *)step->at.scratch + 2 * start;
        gg_norm_backward_sums(&norm, x, stats, gain, d_y, sums, count);
        fabric->feature_sum(fabric, sums, 2 * count);
        gg_norm_backward_input(&norm, x, stats, gain, d_y, sums, step->add,
                               gg_at(stored, step->at.d_x[0], start * width), count);
    }
}

/* saved: (tokens, 2) mean and 1/deviation; scratch: (tokens, 2) sums. */
static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    (void)module, (void)use;
    needs->saved = needs->scratch = (size_t)(2 * local_sequences * graph->config.context) * sizeof(float);
}

const struct gg_module_kind gg_layer_norm_kind = {
    .kernel = GG_KERNEL_RESIDUAL_NORM,
    .forward = forward,
    .forward_rows = forward_rows,
    .rows_exchange = true,
    .pieces = {{backward_parameters, GG_KERNEL_RESIDUAL_NORM, GG_READS_X | GG_READS_SAVED},
               {backward_input, GG_KERNEL_RESIDUAL_NORM,
                GG_READS_X | GG_READS_SAVED | GG_MAKES_INPUT_GRADIENT}},
    .needs = needs,
};

int gg_build_layer_norm(struct gg_builder *b, const char *name, int x) {
    const struct gg_tensor in = *gg_build_tensor(b, x);
    struct layer_norm *norm = gg_build_module(b, &gg_layer_norm_kind, sizeof *norm, in.features, in.block);
    gg_build_input(b, &norm->module, x);
    gg_build_enter(b, "%s.", name);
    norm->module.parameters[0] = gg_build_vector(b, "weight", in.features, in.block, GG_INITIAL_ONE);
    norm->module.parameters[1] = gg_build_vector(b, "bias", in.features, in.block, GG_INITIAL_ZERO);
    gg_build_leave(b);
    return norm->module.output;
}
