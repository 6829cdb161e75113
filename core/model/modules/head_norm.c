/* Normalisation of queries or keys: RMSNorm over the features of each head, with one gain (head size) for all
 * heads (kernels/norm.h). A rank has whole heads, so nothing is exchanged but the gain, of which each feature
 * shard has a part. */
#include "core/kernels/norm.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

#include <string.h>

struct head_norm {
    struct gg_module module; /* parameter: gain */
};

static int64_t heads_of(const struct gg_graph *graph, const struct gg_module *module) {
    return graph->tensors[module->output].local_features / graph->config.head_size;
}

static struct gg_norm shape_of(const struct gg_model *model) {
    const struct gg_model_config *config = &model->graph->config;
    return (struct gg_norm){.stored = config->precision,
                            .epsilon = (float)config->norm_eps,
                            .width = config->head_size,
                            .whole_width = config->head_size};
}

/* Scratch: a number for each head of each token, two in the backward pass; then the whole gain. */
static float *whole_gain(const struct gg_model *model, const struct gg_step *step) {
    return (float *)step->at.scratch +
           2 * model->local_sequences * model->graph->config.context * heads_of(model->graph, step->module);
}

static const float *gather_gain(const struct gg_model *model, const struct gg_step *step) {
    const int gain = step->module->parameters[0];
    float *whole = whole_gain(model, step);
    model->fabric->feature_gather(model->fabric, gg_module_weights(model, gain),
                                  gg_module_parameter(model, gain)->local_columns, whole);
    return whole;
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_norm norm = shape_of(model);
    const int64_t rows = pass->tokens * heads_of(model->graph, step->module);
    float *squares = step->at.scratch;
    gg_norm_squares(&norm, step->at.x[0], NULL, squares, rows);
    gg_norm_apply(&norm, step->at.x[0], NULL, squares, gather_gain(model, step), NULL, step->at.y,
                  step->at.saved, rows);
}

/* d_gain += sum over tokens and heads, of all feature shards, of d_y xhat. */
static void backward_gain(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_norm norm = shape_of(model);
    const struct gg_fabric *fabric = model->fabric;
    const int gain = step->module->parameters[0];
    const int64_t count = gg_module_parameter(model, gain)->local_columns;
    float *whole = whole_gain(model, step), *own = gg_module_gradients(model, gain);
    memset(whole, 0, (size_t)norm.width * sizeof *whole);
    gg_norm_backward_parameters(&norm, step->at.x[0], step->at.saved, step->at.d_y, whole, NULL,
                                pass->tokens * heads_of(model->graph, step->module));
    fabric->feature_sum(fabric, whole, norm.width);
    for (int64_t c = 0; c < count; c++)
        own[c] += whole[fabric->shards.feature_index * count + c];
}

static void backward_input(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_norm norm = shape_of(model);
    const int64_t rows = pass->tokens * heads_of(model->graph, step->module);
    const float *gain = gather_gain(model, step);
    gg_norm_backward_sums(&norm, step->at.x[0], step->at.saved, gain, step->at.d_y, step->at.scratch, rows);
    gg_norm_backward_input(&norm, step->at.x[0], step->at.saved, gain, step->at.d_y, step->at.scratch,
                           step->add, step->at.d_x[0], rows);
}

/* saved: 0 and 1/deviation, for each head of each token. */
static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    (void)use;
    const int64_t rows = local_sequences * graph->config.context * heads_of(graph, module);
    needs->saved = (size_t)(2 * rows) * sizeof(float);
    needs->scratch = (size_t)(2 * rows + graph->config.head_size) * sizeof(float);
}

const struct gg_module_kind gg_head_norm_kind = {
    .kernel = GG_KERNEL_RESIDUAL_NORM,
    .forward = forward,
    .pieces = {{backward_gain, GG_KERNEL_RESIDUAL_NORM,
                GG_READS_X | GG_READS_SAVED | GG_MAKES_PARAMETER_GRADIENT},
               {backward_input, GG_KERNEL_RESIDUAL_NORM,
                GG_READS_X | GG_READS_SAVED | GG_MAKES_INPUT_GRADIENT}},
    .needs = needs,
};

int gg_build_head_norm(struct gg_builder *b, const char *name, int x) {
    const struct gg_tensor in = *gg_build_tensor(b, x);
    const int64_t size = gg_build_config(b)->head_size;
    struct head_norm *norm = gg_build_module(b, &gg_head_norm_kind, sizeof *norm, in.features, in.block);
    gg_build_input(b, &norm->module, x);
    gg_build_enter(b, "%s.", name);
    norm->module.parameters[0] =
        gg_build_vector(b, "weight", size, size / gg_build_shards(b)->feature_shards, GG_INITIAL_ONE);
    gg_build_leave(b);
    return norm->module.output;
}
