/* GELU, tanh approximation: y = gelu(x + bias), with the bias of the map before it (kernels/activation.h). */
#include "core/kernels/activation.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

struct gelu {
    struct gg_module module;
};

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    gg_activation_apply(GG_ACTIVATION_GELU_TANH, model->graph->config.precision, step->at.x[0],
                        gg_module_input_bias(model, step->module), step->at.y, pass->tokens,
                        gg_module_width(model, step->module));
}

/* d_x = d_y gelu'(x + bias). d_x may be d_y. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    gg_activation_backward(GG_ACTIVATION_GELU_TANH, model->graph->config.precision, step->at.x[0],
                           gg_module_input_bias(model, step->module), step->at.d_y, step->at.d_x[0],
                           step->remake_output ? step->at.y : NULL, pass->tokens,
                           gg_module_width(model, step->module));
}

static enum gg_input_gradient input_gradient(const struct gg_graph *graph, const struct gg_module *module,
                                             int input) {
    (void)graph, (void)module, (void)input;
    return GG_GRADIENT_IN_PLACE;
}

const struct gg_module_kind gg_gelu_kind = {
    .kernel = GG_KERNEL_ACTIVATION,
    .forward = forward,
    .pieces = {{backward, GG_KERNEL_ACTIVATION, GG_READS_X | GG_MAKES_INPUT_GRADIENT}},
    .adds_input_bias = true,
    .remakes_output = true,
    .input_gradient = input_gradient,
};

int gg_build_gelu(struct gg_builder *b, int x) {
    const struct gg_tensor in = *gg_build_tensor(b, x);
    struct gelu *gelu = gg_build_module(b, &gg_gelu_kind, sizeof *gelu, in.features, in.block);
    gg_build_input(b, &gelu->module, x);
    return gelu->module.output;
}
