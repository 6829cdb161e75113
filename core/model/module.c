#include "core/model/module_internal.h"

#include "core/model/fabric.h"

bool gg_module_trained(const struct gg_graph *graph, const struct gg_module *module) {
    bool any = false, all = true;
    for (int k = 0; k < GG_MODULE_PARAMETERS; k++) {
        if (module->parameters[k] < 0)
            continue;
        const bool trained = graph->table.items[module->parameters[k]].trained;
        any = any || trained;
        all = all && trained;
    }
    GG_ASSERT(all || !any);
    return any;
}

bool gg_piece_is_wanted(const struct gg_graph *graph, const struct gg_module *module, unsigned does) {
    bool inputs = false;
    for (int k = 0; k < module->input_count; k++)
        inputs = inputs || graph->tensors[module->inputs[k]].wants_gradient;
    return (does & GG_MAKES_INPUT_GRADIENT && inputs) ||
           (does & GG_MAKES_PARAMETER_GRADIENT && gg_module_trained(graph, module));
}

const struct gg_parameter *gg_module_parameter(const struct gg_model *model, int index) {
    return &model->graph->table.items[index];
}

const float *gg_module_weights(const struct gg_model *model, int index) {
    return model->weights + gg_module_parameter(model, index)->offset;
}

float *gg_module_gradients(const struct gg_model *model, int index) {
    GG_ASSERT(gg_module_parameter(model, index)->trained);
    return model->gradients + gg_module_parameter(model, index)->offset;
}

const void *gg_module_operand(const struct gg_model *model, int index) {
    const int64_t offset = gg_module_parameter(model, index)->offset;
    return model->rounded_weights != NULL ? (const void *)(model->rounded_weights + offset)
                                          : (const void *)(model->weights + offset);
}

void gg_module_multiply(const struct gg_model *model, const struct gg_pass *pass,
                        const struct gg_linear *linear, int64_t rows, const void *x, int index, void *y) {
    const struct gg_fabric *fabric = model->fabric;
    const void *w = gg_module_operand(model, index);
    if (pass->sequences != NULL && fabric->matmul_few != NULL)
        fabric->matmul_few(fabric, linear, rows, x, w, y);
    else
        fabric->matmul(fabric, GG_PRODUCT_FORWARD, linear, rows, x, w, false, y);
}

int64_t gg_module_width(const struct gg_model *model, const struct gg_module *module) {
    return model->graph->tensors[module->output].local_features;
}

int64_t gg_module_input_width(const struct gg_model *model, const struct gg_module *module, int input) {
    return model->graph->tensors[module->inputs[input]].local_features;
}

enum gg_input_gradient gg_module_gradient_in_place(const struct gg_graph *graph,
                                                   const struct gg_module *module, int input) {
    (void)graph, (void)module;
    return input == 0 ? GG_GRADIENT_IN_PLACE : GG_GRADIENT_OWN;
}

const float *gg_module_input_bias(const struct gg_model *model, const struct gg_module *module) {
    return module->input_bias >= 0 ? gg_module_weights(model, module->input_bias) : NULL;
}

struct gg_dropout_rows gg_module_dropout(const struct gg_model *model, const struct gg_module *module,
                                         const struct gg_pass *pass) {
    const struct gg_tensor *y = &model->graph->tensors[module->output];
    struct gg_dropout_rows rows = {
        .dropout = model->dropout,
        .site = module->site,
        .sample_ids = pass->batch->sample_ids,
        .time = pass->batch->time,
        .context = model->graph->config.context,
        .whole_width = y->features,
        .first_feature = model->fabric->shards.feature_index * y->local_features,
    };
    if (!pass->dropout)
        rows.dropout.threshold = 0;
    return rows;
}
