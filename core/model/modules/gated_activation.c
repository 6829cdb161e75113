/* SwiGLU (Shazeer 2020, eq. 6): y = silu(gate) up. Inputs: gate, up (kernels/swiglu.h). */
#include "core/kernels/swiglu.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

struct gated {
    struct gg_module module;
};

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    gg_swiglu(model->graph->config.precision, step->at.x[0], step->at.x[1], step->at.y, pass->tokens,
              gg_module_width(model, step->module));
}

/* d_up = d_y silu(gate), d_gate = d_y up silu'(gate), which may stand over d_y. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    gg_swiglu_backward(model->graph->config.precision, step->at.x[0], step->at.x[1], step->at.d_y,
                       step->at.d_x[0], step->at.d_x[1], step->remake_output ? step->at.y : NULL,
                       pass->tokens, gg_module_width(model, step->module));
}

const struct gg_module_kind gg_swiglu_kind = {
    .kernel = GG_KERNEL_ACTIVATION,
    .forward = forward,
    .pieces = {{backward, GG_KERNEL_ACTIVATION, GG_READS_X | GG_MAKES_INPUT_GRADIENT}},
    .remakes_output = true,
    .input_gradient = gg_module_gradient_in_place,
};

int gg_build_swiglu(struct gg_builder *b, int gate, int up) {
    const struct gg_tensor in = *gg_build_tensor(b, gate);
    struct gated *gated = gg_build_module(b, &gg_swiglu_kind, sizeof *gated, in.features, in.block);
    gg_build_input(b, &gated->module, gate);
    gg_build_input(b, &gated->module, up);
    return gated->module.output;
}
