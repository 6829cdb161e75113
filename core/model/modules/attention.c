/* Causal multi-head attention: y = softmax(q k^T / sqrt(head size)) v (kernels/attention/attention.h). Its inputs
 * are q, k, v; or one with the three side by side, to which it adds the bias of the map that made it. */
#include "core/kernels/attention/attention.h"
#include "core/kernels/rows.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

#include <omp.h>
#include <string.h>

struct attention {
    struct gg_module module;
    int64_t window; /* 0: none */
};

/* Rows of queries, keys and values, or of their gradients: in three tensors or in one. */
struct rows {
    void *query, *key, *value;
    int64_t query_stride, key_stride;
};

static struct rows rows_of(const struct gg_model *model, const struct gg_module *module, void *const *x) {
    const enum gg_precision stored = model->graph->config.precision;
    const int64_t first = gg_module_input_width(model, module, 0);
    if (module->input_count == 1)
        return (struct rows){x[0], gg_at(stored, x[0], first / 3), gg_at(stored, x[0], 2 * (first / 3)),
                             first, first};
    return (struct rows){x[0], x[1], x[2], first, gg_module_input_width(model, module, 1)};
}

static struct gg_attention shape_of(const struct gg_model *model, const struct gg_step *step,
                                    const struct gg_pass *pass, const struct rows *rows) {
    const struct gg_model_config *config = &model->graph->config;
    const struct gg_shards *shards = &model->fabric->shards;
    const int64_t heads = config->heads / shards->feature_shards;
    struct gg_attention shape = {
        .stored = config->precision,
        .sequences = pass->batch->sequences,
        .time = pass->batch->time,
        .first = pass->position,
        .firsts = pass->positions,
        .owners = pass->sequences,
        .heads = heads,
        .kv_heads = config->kv_heads / shards->feature_shards,
        .head_size = config->head_size,
        .starts = pass->batch->starts,
        .window = ((const struct attention *)step->module)->window,
        .query_stride = rows->query_stride,
        .key_stride = rows->key_stride,
        .key_sequence_stride = pass->batch->time * rows->key_stride,
        .key_rows = pass->batch->time,
        .dropout = model->dropout,
        .site = step->module->site,
        .first_head = shards->feature_index * heads,
        .whole_heads = config->heads,
        .context = config->context,
        .sample_ids = pass->batch->sample_ids,
    };
    if (!pass->dropout)
        shape.dropout.threshold = 0;
    return shape;
}

/* Puts the new tokens' keys and values behind those of the cache, (sequences, context, keys and values), and goes on
 * with the cache's. */
static void use_cache(const struct gg_model *model, const struct gg_step *step, const struct gg_pass *pass,
                      struct gg_attention *shape, struct rows *rows) {
    const enum gg_precision stored = shape->stored;
    const int64_t time = pass->batch->time, width = shape->kv_heads * shape->head_size,
                  context = model->graph->config.context;
    void *cache = gg_at(stored, step->at.state, pass->cached_sequence * context * 2 * width);
    for (int64_t t = 0; t < pass->tokens; t++) {
        const int64_t owner = pass->sequences != NULL ? pass->sequences[t / time] : t / time;
        const int64_t row = owner * context + gg_pass_position(pass, t / time) + t % time;
        const size_t bytes = (size_t)width * gg_stored_bytes(stored);
        memcpy(gg_at(stored, cache, row * 2 * width), gg_at(stored, rows->key, t * rows->key_stride), bytes);
        memcpy(gg_at(stored, cache, (row * 2 + 1) * width), gg_at(stored, rows->value, t * rows->key_stride),
               bytes);
    }
    rows->key = cache;
    rows->value = gg_at(stored, cache, width);
    shape->key_stride = 2 * width;
    shape->key_sequence_stride = context * 2 * width;
    shape->key_rows = context;
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    struct rows rows = rows_of(model, step->module, step->at.x);
    struct gg_attention shape = shape_of(model, step, pass, &rows);
    const float *bias = gg_module_input_bias(model, step->module);
    if (bias != NULL)
        gg_bias_add(shape.stored, step->at.x[0], bias, pass->tokens, rows.query_stride);
    if (step->at.state != NULL)
        use_cache(model, step, pass, &shape, &rows);
    if (pass->sequences != NULL)
        gg_attention_decode(&shape, rows.query, rows.key, rows.value, step->at.y, step->at.scratch);
    else
        gg_attention_forward(&shape, rows.query, rows.key, rows.value, step->at.y, step->at.saved,
                             step->at.scratch);
}

/* See kernels/attention/attention.h. */
static void backward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct rows rows = rows_of(model, step->module, step->at.x),
                      d_rows = rows_of(model, step->module, step->at.d_x);
    const struct gg_attention shape = shape_of(model, step, pass, &rows);
    gg_attention_backward(&shape, rows.query, rows.key, rows.value, step->at.y, step->at.saved, step->at.d_y,
                          d_rows.query, d_rows.key, d_rows.value, step->at.scratch);
}

/* saved: log-sums (sequences, heads, time); state: the key-value cache. */
static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    (void)module;
    const struct gg_model_config *config = &graph->config;
    const int64_t tokens = local_sequences * config->context, shards = graph->shards.feature_shards;
    needs->scratch = gg_attention_workspace_bytes(config->precision, config->context, config->head_size,
                                                  config->heads / config->kv_heads, omp_get_max_threads());
    if (use == GG_MODEL_TRAIN)
        needs->saved = (size_t)(tokens * (config->heads / shards)) * sizeof(float);
    if (use == GG_MODEL_GENERATE)
        needs->state = (size_t)(2 * tokens * (config->kv_heads / shards) * config->head_size) *
                       gg_stored_bytes(config->precision);
}

/* Two products forward and four backward, each 2 features x keys. A query of a causal mask has T/2 keys on average,
 * and in a band of w of them w - w^2 / 2T. */
static double flops_per_token(const struct gg_graph *graph, const struct gg_module *module) {
    const double context = (double)graph->config.context;
    const int64_t window = ((const struct attention *)module)->window;
    const double band = window > 0 && (double)window < context ? (double)window : context;
    return 12 * (double)graph->tensors[module->output].features * (band - band * band / (2 * context));
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

static struct attention *append(struct gg_builder *b, int64_t layer) {
    const struct gg_model_config *config = gg_build_config(b);
    const int64_t features = config->heads * config->head_size;
    const bool banded = config->attention == GG_ATTENTION_BANDED ||
                        (config->attention == GG_ATTENTION_ALTERNATING && layer % 2 == 1);
    struct attention *attention = gg_build_module(b, &gg_attention_kind, sizeof *attention, features,
                                                  features / gg_build_shards(b)->feature_shards);
    attention->window = banded ? config->window : 0;
    attention->module.site = gg_build_site(b);
    return attention;
}

int gg_build_fused_attention(struct gg_builder *b, int qkv, int64_t layer) {
    struct attention *attention = append(b, layer);
    gg_build_input(b, &attention->module, qkv);
    return attention->module.output;
}

int gg_build_attention(struct gg_builder *b, int q, int k, int v, int64_t layer) {
    struct attention *attention = append(b, layer);
    gg_build_input(b, &attention->module, q);
    gg_build_input(b, &attention->module, k);
    gg_build_input(b, &attention->module, v);
    return attention->module.output;
}
