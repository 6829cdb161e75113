/* Making a graph: an architecture's page appends modules, tensors and parameters. */
#include "core/model/builder_internal.h"

#include "core/base/memory.h"
#include "core/model/module_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NESTED = 4, NAME_BYTES = 80 };

struct gg_builder {
    struct gg_graph *graph;
    char prefix[NAME_BYTES];
    size_t prefix_lengths[MOST_NESTED]; /* before each gg_build_enter */
    int nested;
    int block; /* of the modules that follow; -1: outside */
    bool attention;
    uint32_t sites; /* of dropout, so far */
};

const struct gg_model_config *gg_build_config(const struct gg_builder *b) {
    return &b->graph->config;
}

const struct gg_shards *gg_build_shards(const struct gg_builder *b) {
    return &b->graph->shards;
}

const struct gg_tensor *gg_build_tensor(const struct gg_builder *b, int tensor) {
    return &b->graph->tensors[tensor];
}

uint32_t gg_build_site(struct gg_builder *b) {
    return b->sites++;
}

void gg_build_enter(struct gg_builder *b, const char *format, ...) {
    GG_ASSERT(b->nested < MOST_NESTED);
    const size_t length = strlen(b->prefix);
    b->prefix_lengths[b->nested++] = length;
    va_list args;
    va_start(args, format);
    vsnprintf(b->prefix + length, sizeof b->prefix - length, format, args);
    va_end(args);
}

void gg_build_leave(struct gg_builder *b) {
    b->prefix[b->prefix_lengths[--b->nested]] = '\0';
}

void gg_build_block_begin(struct gg_builder *b) {
    b->block = b->graph->block_count++;
}

void gg_build_block_end(struct gg_builder *b) {
    b->block = -1;
}

void gg_build_attention_begin(struct gg_builder *b) {
    b->attention = true;
}

void gg_build_attention_end(struct gg_builder *b) {
    b->attention = false;
}

/* Room for one more item of an array that grows by doubling. */
static void *grow(void *items, int count, size_t item_bytes) {
    const bool full = (count & (count - 1)) == 0; /* 0, 1, 2, 4 ... */
    return full ? gg_realloc(items, (count > 0 ? 2 * (size_t)count : 1) * item_bytes) : items;
}

static struct gg_parameter *append_parameter(struct gg_builder *b, const char *name) {
    struct gg_parameter_table *table = &b->graph->table;
    table->items = grow(table->items, table->count, sizeof *table->items);
    struct gg_parameter *parameter = &table->items[table->count++];
    *parameter =
        (struct gg_parameter){.rows = 1, .dimensions = 1, .trained = b->graph->config.lora.rank == 0};
    const int length = snprintf(parameter->name, sizeof parameter->name, "%s%s", b->prefix, name);
    GG_ASSERT(length < (int)sizeof parameter->name);
    return parameter;
}

int gg_build_matrix(struct gg_builder *b, const char *name, int64_t in, int64_t out, int64_t column_block,
                    double deviation) {
    struct gg_parameter *parameter = append_parameter(b, name);
    const struct gg_shards *shards = &b->graph->shards;
    parameter->layout = GG_LAYOUT_MATRIX;
    parameter->rows = in;
    parameter->columns = out;
    parameter->dimensions = 2;
    parameter->column_block = column_block;
    parameter->decay = true;
    parameter->initial = GG_INITIAL_NORMAL;
    parameter->deviation = deviation;
    parameter->local_rows = in / shards->token_shards;
    parameter->local_columns = out / shards->feature_shards;
    return b->graph->table.count - 1;
}

int gg_build_padded_matrix(struct gg_builder *b, const char *name, int64_t in, int64_t out, int64_t padded_in,
                           int64_t padded_out, int64_t column_block, enum gg_initial initial,
                           double deviation) {
    const int index = gg_build_matrix(b, name, in, out, column_block, deviation);
    const struct gg_shards *shards = &b->graph->shards;
    struct gg_parameter *parameter = &b->graph->table.items[index];
    parameter->initial = initial;
    parameter->local_rows = padded_in / shards->token_shards;
    parameter->local_columns = padded_out / shards->feature_shards;
    return index;
}

int gg_build_vector(struct gg_builder *b, const char *name, int64_t width, int64_t column_block,
                    enum gg_initial initial) {
    struct gg_parameter *parameter = append_parameter(b, name);
    parameter->layout = GG_LAYOUT_VECTOR;
    parameter->columns = width;
    parameter->column_block = column_block;
    parameter->initial = initial;
    parameter->local_rows = 1;
    parameter->local_columns = width / b->graph->shards.feature_shards;
    return b->graph->table.count - 1;
}

int gg_build_embedding_table(struct gg_builder *b, const char *name, int64_t rows, int64_t padded_rows,
                             int64_t width) {
    const double deviation = 0.02;
    const int index =
        gg_build_matrix(b, name, rows, width, width / b->graph->shards.feature_shards, deviation);
    struct gg_parameter *parameter = &b->graph->table.items[index];
    parameter->layout = GG_LAYOUT_EMBEDDING;
    parameter->local_rows = padded_rows / b->graph->shards.token_shards;
    return index;
}

void gg_build_trained(struct gg_builder *b, int parameter) {
    b->graph->table.items[parameter].trained = true;
}

int gg_build_find(const struct gg_builder *b, const char *name) {
    char whole[NAME_BYTES];
    snprintf(whole, sizeof whole, "%s%s", b->prefix, name);
    const int index = gg_parameter_find(&b->graph->table, whole);
    GG_ASSERT(index >= 0);
    return index;
}

bool gg_build_is_target(const struct gg_builder *b) {
    char name[NAME_BYTES];
    const struct gg_lora_settings *lora = &b->graph->config.lora;
    snprintf(name, sizeof name, "%.*s", (int)strlen(b->prefix) - 1, b->prefix); /* without its dot */
    return lora->rank > 0 && gg_lora_is_target(lora, name);
}

int gg_build_first(const struct gg_builder *b, const struct gg_module_kind *kind) {
    int first = 0;
    while (b->graph->modules[first]->kind != kind)
        first++;
    return first;
}

void *gg_build_module(struct gg_builder *b, const struct gg_module_kind *kind, size_t bytes, int64_t features,
                      int64_t block) {
    struct gg_graph *graph = b->graph;
    graph->modules = grow(graph->modules, graph->module_count, sizeof *graph->modules);
    struct gg_module *module = gg_calloc(1, bytes);
    *module = (struct gg_module){.kind = kind,
                                 .output = -1,
                                 .parameters = {-1, -1},
                                 .input_bias = -1,
                                 .state_of = graph->module_count,
                                 .block = b->block,
                                 .attention = b->attention};
    if (features > 0) {
        graph->tensors = grow(graph->tensors, graph->tensor_count, sizeof *graph->tensors);
        graph->tensors[graph->tensor_count] = (struct gg_tensor){
            features, features / graph->shards.feature_shards, block, graph->module_count, 0, false};
        module->output = graph->tensor_count++;
    }
    graph->modules[graph->module_count++] = module;
    return module;
}

void gg_build_input(struct gg_builder *b, struct gg_module *module, int tensor) {
    GG_ASSERT(module->input_count < GG_MODULE_INPUTS);
    module->inputs[module->input_count++] = tensor;
    b->graph->tensors[tensor].readers++;
}

struct gg_builder *gg_builder_create(struct gg_graph *graph) {
    struct gg_builder *builder = gg_calloc(1, sizeof *builder);
    builder->graph = graph;
    builder->block = -1;
    return builder;
}

void gg_builder_destroy(struct gg_builder **builder) {
    free(*builder);
    *builder = NULL;
}
