/* Linear map: y = x W + b, or without the bias. The bias may be left to the module that reads y, which adds it
 * as it does so. */
#include "core/kernels/rows.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

struct linear {
    struct gg_module module; /* parameters: W (in, out), b or -1 */
    struct gg_linear product;
    bool bias_deferred;
};

static const struct linear *linear_of(const struct gg_module *module) {
    return (const struct linear *)module;
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct linear *linear = linear_of(step->module);
    const int bias = step->module->parameters[1];
    gg_module_multiply(model, pass, &linear->product, pass->tokens, step->at.x[0],
                       step->module->parameters[0], step->at.y);
    if (bias >= 0 && !linear->bias_deferred)
        gg_bias_add(linear->product.output, step->at.y, gg_module_weights(model, bias), pass->tokens,
                    gg_module_width(model, step->module));
}

/* d_b += sum over tokens of d_y. */
static void backward_bias(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const int bias = step->module->parameters[1];
    if (bias >= 0)
        gg_bias_gradient(model->graph->config.precision, step->at.d_y, gg_module_gradients(model, bias),
                         pass->tokens, gg_module_width(model, step->module));
}

/* d_W += x^T d_y. */
static void backward_weight(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    model->fabric->matmul(model->fabric, GG_PRODUCT_WEIGHT_GRADIENT, &linear_of(step->module)->product,
                          pass->tokens, step->at.x[0], step->at.d_y, true,
                          gg_module_gradients(model, step->module->parameters[0]));
}

/* d_x = d_y W^T. */
static void backward_input(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    model->fabric->matmul(model->fabric, GG_PRODUCT_INPUT_GRADIENT, &linear_of(step->module)->product,
                          pass->tokens, step->at.d_y, gg_module_operand(model, step->module->parameters[0]),
                          step->add, step->at.d_x[0]);
}

static const struct gg_linear *product(const struct gg_module *module) {
    return &linear_of(module)->product;
}

static bool leave_bias(struct gg_module *module) {
    ((struct linear *)module)->bias_deferred = true;
    return module->parameters[1] >= 0;
}

const struct gg_module_kind gg_linear_kind = {
    .kernel = GG_KERNEL_MATMUL,
    .forward = forward,
    .pieces = {{backward_bias, GG_KERNEL_RESIDUAL_NORM, GG_MAKES_PARAMETER_GRADIENT},
               {backward_weight, GG_KERNEL_MATMUL, GG_READS_X | GG_MAKES_PARAMETER_GRADIENT},
               {backward_input, GG_KERNEL_MATMUL, GG_MAKES_INPUT_GRADIENT}},
    .leave_bias = leave_bias,
    .linear = product,
};

int gg_build_linear(struct gg_builder *b, const char *name, int x, int64_t out, int parts, double deviation) {
    const enum gg_precision precision = gg_build_config(b)->precision;
    const struct gg_tensor in = *gg_build_tensor(b, x);
    const int64_t block = out / parts / gg_build_shards(b)->feature_shards;
    struct linear *linear = gg_build_module(b, &gg_linear_kind, sizeof *linear, out, block);
    linear->product = (struct gg_linear){in.features, out, in.block, block, false, precision, precision};
    gg_build_input(b, &linear->module, x);
    gg_build_enter(b, "%s.", name);
    linear->module.parameters[0] = gg_build_matrix(b, "weight", in.features, out, block, deviation);
    if (gg_build_config(b)->biases)
        linear->module.parameters[1] = gg_build_vector(b, "bias", out, block, GG_INITIAL_ZERO);
    const int y =
        gg_build_is_target(b) ? gg_build_adapter(b, x, linear->module.output) : linear->module.output;
    gg_build_leave(b);
    return y;
}
