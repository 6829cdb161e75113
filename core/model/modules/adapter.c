/* An adapter of low rank beside a map (Hu et al. 2021, eq. 3): y += (alpha / rank) dropout(x) A B, in two modules:
 * u = (alpha / rank) dropout(x) A, and y += u B, which stands where the map's output stood. */
#include "core/kernels/residual_add.h"
#include "core/kernels/rows.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

#include <math.h>
#include <omp.h>

struct adapter {
    struct gg_module module; /* parameter: A (in, rank) or B (rank, out) */
    struct gg_linear product;
};

/* Sites of adapters' dropout, so that those of the model's own are the same with adapters and without. */
enum { FIRST_SITE = 1 << 24 };

static const struct adapter *adapter_of(const struct gg_module *module) {
    return (const struct adapter *)module;
}

static const struct gg_linear *product(const struct gg_module *module) {
    return &adapter_of(module)->product;
}

/* Scratch of `down` with dropout: what x becomes, (tokens, in), then a row of the mask for each thread. */
static size_t masked_bytes(const struct gg_graph *graph, const struct gg_module *module,
                           int64_t local_sequences) {
    const int64_t width = graph->tensors[module->inputs[0]].local_features;
    return (size_t)(local_sequences * graph->config.context * width) *
           gg_stored_bytes(graph->config.precision);
}

static struct gg_dropout_rows dropout_rows(const struct gg_model *model, const struct gg_module *module,
                                           const struct gg_pass *pass) {
    const struct gg_tensor *x = &model->graph->tensors[module->inputs[0]];
    struct gg_dropout_rows rows = {
        .dropout = model->adapter_dropout,
        .site = module->site,
        .sample_ids = pass->batch->sample_ids,
        .time = pass->batch->time,
        .context = model->graph->config.context,
        .whole_width = x->features,
        .first_feature = model->fabric->shards.feature_index * x->local_features,
    };
    if (!pass->train)
        rows.dropout.threshold = 0;
    return rows;
}

static void *mask_room(const struct gg_model *model, const struct gg_step *step) {
    return (char *)step->at.scratch + masked_bytes(model->graph, step->module, model->local_sequences);
}

/* What the product takes: x, or in scratch what dropout makes of it. */
static const void *dropped(const struct gg_model *model, const struct gg_step *step,
                           const struct gg_pass *pass) {
    const struct gg_dropout_rows rows = dropout_rows(model, step->module, pass);
    if (rows.dropout.threshold == 0)
        return step->at.x[0];
    gg_dropout_apply(model->graph->config.precision, step->at.x[0], &rows, step->at.scratch, pass->tokens,
                     gg_module_input_width(model, step->module, 0), mask_room(model, step));
    return step->at.scratch;
}

static void scale(const struct gg_model *model, const struct gg_step *step, const struct gg_pass *pass,
                  void *u) {
    gg_rows_scale(model->graph->config.precision, u, (float)gg_lora_scale(&model->graph->config.lora),
                  pass->tokens, gg_module_width(model, step->module));
}

static void forward_down(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    model->fabric->matmul(model->fabric, GG_PRODUCT_FORWARD, product(step->module), pass->tokens,
                          dropped(model, step, pass), gg_module_operand(model, step->module->parameters[0]),
                          false, step->at.y);
    scale(model, step, pass, step->at.y);
}

/* d_y of the product without its factor, in place: what the pieces below read. */
static void backward_scale(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    scale(model, step, pass, step->at.d_y);
}

/* d_A += dropout(x)^T d_y. */
static void backward_a(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    model->fabric->matmul(model->fabric, GG_PRODUCT_WEIGHT_GRADIENT, product(step->module), pass->tokens,
                          dropped(model, step, pass), step->at.d_y, true,
                          gg_module_gradients(model, step->module->parameters[0]));
}

/* d_x = mask d_y A^T. */
static void backward_x(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const enum gg_precision stored = model->graph->config.precision;
    const struct gg_dropout_rows rows = dropout_rows(model, step->module, pass);
    const int64_t width = gg_module_input_width(model, step->module, 0);
    const bool drops = rows.dropout.threshold > 0;
    void *d_x = drops ? step->at.scratch : step->at.d_x[0];
    model->fabric->matmul(model->fabric, GG_PRODUCT_INPUT_GRADIENT, product(step->module), pass->tokens,
                          step->at.d_y, gg_module_operand(model, step->module->parameters[0]),
                          !drops && step->add, d_x);
    if (drops && step->add)
        gg_residual_add(stored, step->at.d_x[0], d_x, NULL, &rows, step->at.d_x[0], pass->tokens, width,
                        mask_room(model, step));
    else if (drops)
        gg_dropout_apply(stored, d_x, &rows, step->at.d_x[0], pass->tokens, width, mask_room(model, step));
}

static void needs_down(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                       int64_t local_sequences, struct gg_needs *needs) {
    if (use == GG_MODEL_TRAIN && graph->config.lora.dropout > 0)
        needs->scratch = masked_bytes(graph, module, local_sequences) +
                         gg_residual_workspace_bytes(graph->tensors[module->inputs[0]].local_features,
                                                     omp_get_max_threads());
}

const struct gg_module_kind gg_adapter_down_kind = {
    .kernel = GG_KERNEL_MATMUL,
    .forward = forward_down,
    .pieces = {{backward_scale, GG_KERNEL_MATMUL, GG_MAKES_PARAMETER_GRADIENT},
               {backward_a, GG_KERNEL_MATMUL, GG_READS_X | GG_MAKES_PARAMETER_GRADIENT},
               {backward_x, GG_KERNEL_MATMUL, GG_MAKES_INPUT_GRADIENT}},
    .needs = needs_down,
    .linear = product,
};

/* Inputs: u, and the map's output, over which the sum is written. */
static void forward_up(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    GG_ASSERT(step->at.y == step->at.x[1]);
    model->fabric->matmul(model->fabric, GG_PRODUCT_FORWARD, product(step->module), pass->tokens,
                          step->at.x[0], gg_module_operand(model, step->module->parameters[0]), true,
                          step->at.y);
}

/* d_B += u^T d_y. */
static void backward_b(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    model->fabric->matmul(model->fabric, GG_PRODUCT_WEIGHT_GRADIENT, product(step->module), pass->tokens,
                          step->at.x[0], step->at.d_y, true,
                          gg_module_gradients(model, step->module->parameters[0]));
}

/* d_u = d_y B^T; the map's is d_y. */
static void backward_u(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    model->fabric->matmul(model->fabric, GG_PRODUCT_INPUT_GRADIENT, product(step->module), pass->tokens,
                          step->at.d_y, gg_module_operand(model, step->module->parameters[0]), false,
                          step->at.d_x[0]);
}

static enum gg_input_gradient gradient_up(const struct gg_graph *graph, const struct gg_module *module,
                                          int input) {
    (void)graph, (void)module;
    return input == 0 ? GG_GRADIENT_OWN : GG_GRADIENT_SAME;
}

const struct gg_module_kind gg_adapter_up_kind = {
    .kernel = GG_KERNEL_MATMUL,
    .forward = forward_up,
    .pieces = {{backward_b, GG_KERNEL_MATMUL, GG_READS_FIRST_X | GG_MAKES_PARAMETER_GRADIENT},
               {backward_u, GG_KERNEL_MATMUL, GG_MAKES_INPUT_GRADIENT}},
    .output_always_in_place = true,
    .input_gradient = gradient_up,
    .linear = product,
};

/* The least multiple of P and Q that is not below the rank: what is between stands as zeros in A and B, and stays
 * zero, for each is the gradient's factor of the other. */
static int64_t padded_rank(const struct gg_builder *b) {
    const int64_t rank = gg_build_config(b)->lora.rank, p = gg_build_shards(b)->feature_shards,
                  q = gg_build_shards(b)->token_shards;
    int64_t padded = (rank + p - 1) / p * p;
    while (padded % q != 0)
        padded += p;
    return padded;
}

static struct adapter *append(struct gg_builder *b, const struct gg_module_kind *kind, int x, int64_t out,
                              int64_t block) {
    const enum gg_precision precision = gg_build_config(b)->precision;
    const struct gg_tensor in = *gg_build_tensor(b, x);
    struct adapter *adapter = gg_build_module(b, kind, sizeof *adapter, out, block);
    adapter->product = (struct gg_linear){in.features, out, in.block, block, false, precision, precision};
    gg_build_input(b, &adapter->module, x);
    return adapter;
}

int gg_build_adapter(struct gg_builder *b, int x, int y) {
    const int64_t rank = gg_build_config(b)->lora.rank, padded = padded_rank(b);
    const struct gg_tensor in = *gg_build_tensor(b, x), out = *gg_build_tensor(b, y);
    const int64_t rank_block = padded / gg_build_shards(b)->feature_shards;
    struct adapter *down = append(b, &gg_adapter_down_kind, x, padded, rank_block);
    /* As torch.nn.Linear's, and so PEFT's: He et al. 2015, with a = sqrt(5). */
    const double bound = 1 / sqrt((double)in.features);
    down->module.parameters[0] = gg_build_padded_matrix(b, "lora_A.weight", in.features, rank, in.features,
                                                        padded, rank_block, GG_INITIAL_UNIFORM, bound);
    gg_build_trained(b, down->module.parameters[0]);
    down->module.site = FIRST_SITE + (uint32_t)down->module.parameters[0];
    struct adapter *up = append(b, &gg_adapter_up_kind, down->module.output, out.features, out.block);
    gg_build_input(b, &up->module, y);
    up->module.parameters[0] = gg_build_padded_matrix(b, "lora_B.weight", rank, out.features, padded,
                                                      out.features, out.block, GG_INITIAL_ZERO, 0);
    gg_build_trained(b, up->module.parameters[0]);
    return up->module.output;
}
