/* Activation inside the MLP, element by element: y = f(x + bias), with the bias of the map before it
 * (kernels/activation.h). */
#include "core/kernels/activation.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

struct activation {
    struct gg_module module;
};

static enum gg_activation function(const struct gg_model *model) {
    return (enum gg_activation)model->graph->config.activation;
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    gg_activation_apply(function(model), model->graph->config.precision, step->at.x[0],
                        gg_module_input_bias(model, step->module), step->at.y, pass->tokens,
                        gg_module_width(model, step->module));
}

/* d_x = d_y f'(x + bias). d_x may be d_y. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    gg_activation_backward(function(model), model->graph->config.precision, step->at.x[0],
                           gg_module_input_bias(model, step->module), step->at.d_y, step->at.d_x[0],
                           step->remake_output ? step->at.y : NULL, pass->tokens,
                           gg_module_width(model, step->module));
}

const struct gg_module_kind gg_activation_kind = {
    .kernel = GG_KERNEL_ACTIVATION,
    .forward = forward,
    .pieces = {{backward, GG_KERNEL_ACTIVATION, GG_READS_X | GG_MAKES_INPUT_GRADIENT}},
    .adds_input_bias = true,
    .remakes_output = true,
    .input_gradient = gg_module_gradient_in_place,
};

int gg_build_activation(struct gg_builder *b, int x) {
    const struct gg_tensor in = *gg_build_tensor(b, x);
    struct activation *activation =
        gg_build_module(b, &gg_activation_kind, sizeof *activation, in.features, in.block);
    gg_build_input(b, &activation->module, x);
    return activation->module.output;
}
