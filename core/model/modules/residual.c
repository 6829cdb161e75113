/* Residual connection: y = stream + dropout(branch + bias), with the bias of the map that made the branch.
 * Inputs: branch, stream. */
#include "core/kernels/residual_add.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

#include <omp.h>

struct residual {
    struct gg_module module;
};

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_dropout_rows rows = gg_module_dropout(model, step->module, pass);
    gg_residual_add(model->graph->config.precision, step->at.x[1], step->at.x[0],
                    gg_module_input_bias(model, step->module), &rows, step->at.y, pass->tokens,
                    gg_module_width(model, step->module), step->at.scratch);
}

static void forward_rows(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass,
                         int64_t start, int64_t count) {
    const enum gg_precision stored = model->graph->config.precision;
    const struct gg_dropout_rows rows = gg_module_dropout(model, step->module, pass);
    const float *bias = gg_module_input_bias(model, step->module);
    const int64_t width = gg_module_width(model, step->module);
    float *mask = NULL;
    if (rows.dropout.threshold > 0)
        mask = (float *)step->at.scratch + omp_get_thread_num() * width;
    for (int64_t t = start; t < start + count; t++) {
        if (mask != NULL)
            gg_dropout_row(&rows, t, width, mask);
        gg_residual_add_row(stored, gg_at(stored, step->at.x[1], t * width),
                            gg_at(stored, step->at.x[0], t * width), bias, mask,
                            gg_at(stored, step->at.y, t * width), width);
    }
}

/* d_stream is d_y; d_branch = mask d_y, which without dropout is d_y too. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_dropout_rows rows = gg_module_dropout(model, step->module, pass);
    if (rows.dropout.threshold > 0)
        gg_dropout_apply(model->graph->config.precision, step->at.d_y, &rows, step->at.d_x[0], pass->tokens,
                         gg_module_width(model, step->module), step->at.scratch);
}

static enum gg_input_gradient input_gradient(const struct gg_graph *graph, const struct gg_module *module,
                                             int input) {
    (void)module;
    return input == 0 && graph->config.dropout > 0 ? GG_GRADIENT_OWN : GG_GRADIENT_SAME;
}

static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    (void)local_sequences;
    if (use == GG_MODEL_TRAIN && graph->config.dropout > 0)
        needs->scratch =
            gg_residual_workspace_bytes(graph->tensors[module->output].local_features, omp_get_max_threads());
}

const struct gg_module_kind gg_residual_kind = {
    .kernel = GG_KERNEL_RESIDUAL_NORM,
    .forward = forward,
    .forward_rows = forward_rows,
    .pieces = {{backward, GG_KERNEL_RESIDUAL_NORM, GG_MAKES_INPUT_GRADIENT}},
    .adds_input_bias = true,
    .output_in_place = true,
    .input_gradient = input_gradient,
    .needs = needs,
};

int gg_build_residual(struct gg_builder *b, int stream, int branch) {
    const struct gg_tensor in = *gg_build_tensor(b, stream);
    struct residual *residual =
        gg_build_module(b, &gg_residual_kind, sizeof *residual, in.features, in.block);
    gg_build_input(b, &residual->module, branch);
    gg_build_input(b, &residual->module, stream);
    residual->module.site = gg_build_site(b);
    return residual->module.output;
}
