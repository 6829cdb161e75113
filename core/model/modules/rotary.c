/* Rotary positions (Su et al. 2021, eq. 34): in each head, features i and i + half of a token at position p are
 * a pair that is turned by the angle p theta^(-2i / head size) (kernels/positions.h). */
#include "core/kernels/positions.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

struct rotary {
    struct gg_module module;
};

static void turn(const struct gg_model *model, const struct gg_step *step, const struct gg_pass *pass,
                 const void *x, void *y, bool back) {
    const struct gg_model_config *config = &model->graph->config;
    const int64_t width = gg_module_width(model, step->module), time = pass->batch->time;
    const int64_t together = pass->positions == NULL ? pass->tokens : time; /* tokens of like positions */
    for (int64_t t = 0; t < pass->tokens; t += together)
        gg_rotate(config->precision, gg_at(config->precision, x, t * width), step->at.state,
                  gg_at(config->precision, y, t * width), together, time, gg_pass_position(pass, t / time),
                  pass->batch->starts, width / config->head_size, config->head_size, back);
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    turn(model, step, pass, step->at.x[0], step->at.y, false);
}

/* A turn's gradient is turned back. d_x may be d_y. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    turn(model, step, pass, step->at.d_y, step->at.d_x[0], true);
}

/* state: the cosines and sines of all positions, which all modules of this kind share. */
static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    (void)use, (void)local_sequences;
    if (graph->modules[module->state_of] == module)
        needs->state = (size_t)(graph->config.context * graph->config.head_size) * sizeof(float);
}

static void prepare(struct gg_model *model, const struct gg_step *step) {
    const struct gg_model_config *config = &model->graph->config;
    gg_rotary_table(step->at.state, config->context, config->head_size, config->rope_theta);
}

const struct gg_module_kind gg_rotary_kind = {
    .kernel = GG_KERNEL_EMBEDDING,
    .forward = forward,
    .pieces = {{backward, GG_KERNEL_EMBEDDING, GG_MAKES_INPUT_GRADIENT}},
    .input_gradient = gg_module_gradient_in_place,
    .prepare = prepare,
    .needs = needs,
};

int gg_build_rotary(struct gg_builder *b, int x) {
    const struct gg_tensor in = *gg_build_tensor(b, x);
    struct rotary *rotary = gg_build_module(b, &gg_rotary_kind, sizeof *rotary, in.features, in.block);
    rotary->module.state_of = gg_build_first(b, &gg_rotary_kind);
    gg_build_input(b, &rotary->module, x);
    return rotary->module.output;
}
