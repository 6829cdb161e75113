/* Causal multi-head attention: y = softmax(q k^T / sqrt(head size)) v, with q, k, v = x + bias side by side
 * in its input (kernels/attention/attention.h). */
#include "core/kernels/attention/attention.h"
#include "core/kernels/rows.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

#include <omp.h>
#include <string.h>

struct attention {
    struct gg_module module;
    int64_t heads; /* whole */
};

static const struct attention *attention_of(const struct gg_module *module) {
    return (const struct attention *)module;
}

static struct gg_attention shape_of(const struct gg_model *model, const struct gg_step *step,
                                    const struct gg_pass *pass) {
    const struct gg_model_config *config = &model->graph->config;
    const struct gg_tensor *y = &model->graph->tensors[step->module->output];
    const int64_t whole_heads = attention_of(step->module)->heads;
    const int64_t heads = whole_heads / model->fabric->shards.feature_shards;
    const int64_t stride = gg_module_input_width(model, step->module);
    struct gg_attention shape = {
        .stored = config->precision,
        .sequences = pass->batch->sequences,
        .time = pass->batch->time,
        .first = pass->position,
        .heads = heads,
        .kv_heads = heads,
        .head_size = y->features / whole_heads,
        .query_stride = stride,
        .key_stride = stride,
        .key_sequence_stride = pass->batch->time * stride,
        .key_rows = pass->batch->time,
        .dropout = model->dropout,
        .site = step->module->site,
        .first_head = model->fabric->shards.feature_index * heads,
        .whole_heads = whole_heads,
        .context = config->context,
        .sample_ids = pass->batch->sample_ids,
    };
    if (!pass->dropout)
        shape.dropout.threshold = 0;
    return shape;
}

/* Puts the new tokens' keys and values behind those of the cache: (sequences, context, keys and values). */
static void cache_append(const struct gg_model *model, const struct gg_step *step, const struct gg_pass *pass,
                         int64_t width) {
    const enum gg_precision stored = model->graph->config.precision;
    const int64_t time = pass->batch->time;
    for (int64_t t = 0; t < pass->tokens; t++) {
        const int64_t row = t / time * model->graph->config.context + pass->position + t % time;
        memcpy(gg_at(stored, step->at.state, row * 2 * width),
               gg_at(stored, step->at.x[0], t * 3 * width + width),
               (size_t)(2 * width) * gg_stored_bytes(stored));
    }
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    struct gg_attention shape = shape_of(model, step, pass);
    const enum gg_precision stored = shape.stored;
    const int64_t width = gg_module_width(model, step->module);
    const float *bias = gg_module_input_bias(model, step->module);
    if (bias != NULL)
        gg_bias_add(stored, step->at.x[0], bias, pass->tokens, 3 * width);
    const void *key = gg_at(stored, step->at.x[0], width), *value = gg_at(stored, step->at.x[0], 2 * width);
    if (step->at.state != NULL) {
        cache_append(model, step, pass, width);
        key = step->at.state;
        value = gg_at(stored, step->at.state, width);
        shape.key_stride = 2 * width;
        shape.key_sequence_stride = model->graph->config.context * 2 * width;
        shape.key_rows = model->graph->config.context;
    }
    gg_attention_forward(&shape, step->at.x[0], key, value, step->at.y, step->at.saved, step->at.scratch);
}

/* See kernels/attention/attention.h. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_attention shape = shape_of(model, step, pass);
    const enum gg_precision stored = shape.stored;
    const int64_t width = gg_module_width(model, step->module);
    void *x = step->at.x[0], *d_x = step->at.d_x[0];
    gg_attention_backward(&shape, x, gg_at(stored, x, width), gg_at(stored, x, 2 * width), step->at.y,
                          step->at.saved, step->at.d_y, d_x, gg_at(stored, d_x, width),
                          gg_at(stored, d_x, 2 * width), step->at.scratch);
}

/* saved: log-sums (sequences, heads, time); state: the key-value cache. */
static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    const struct gg_model_config *config = &graph->config;
    const struct gg_tensor *y = &graph->tensors[module->output];
    const int64_t heads = attention_of(module)->heads, tokens = local_sequences * config->context;
    needs->scratch = gg_attention_workspace_bytes(config->precision, config->context, y->features / heads, 1,
                                                  omp_get_max_threads());
    if (use == GG_MODEL_TRAIN)
        needs->saved = (size_t)(tokens * (heads / graph->shards.feature_shards)) * sizeof(float);
    if (use == GG_MODEL_GENERATE)
        needs->state = (size_t)(2 * tokens * y->local_features) * gg_stored_bytes(config->precision);
}

/* Two products forward and four backward, each 2 features x keys: a query of a causal mask has T/2 on
 * average. */
static double flops_per_token(const struct gg_graph *graph, const struct gg_module *module) {
    return 6 * (double)graph->tensors[module->output].features * (double)graph->config.context;
}

const struct gg_module_kind gg_attention_kind = {
    .kernel = GG_KERNEL_ATTENTION,
    .forward = forward,
    .pieces = {{backward, GG_KERNEL_ATTENTION,
                GG_READS_X | GG_READS_Y | GG_READS_SAVED | GG_MAKES_INPUT_GRADIENT}},
    .adds_input_bias = true,
    .finishes_input = true,
    .needs = needs,
    .own_flops_per_token = flops_per_token,
};

int gg_build_attention(struct gg_builder *b, int qkv, int64_t heads) {
    const struct gg_tensor in = *gg_build_tensor(b, qkv);
    struct attention *attention =
        gg_build_module(b, &gg_attention_kind, sizeof *attention, in.features / 3, in.block);
    attention->heads = heads;
    attention->module.site = gg_build_site(b);
    gg_build_input(b, &attention->module, qkv);
    return attention->module.output;
}
