/* From a configuration to its graph: the architecture's page, then what holds for all modules together. */
#include "core/model/architectures/architectures.h"
#include "core/model/builder_internal.h"
#include "core/model/module_internal.h"

#include <stdlib.h>

/* Tensors of a rank stand in one flat buffer, in table order, each on a cache line of its own; what is frozen stands
 * behind what is trained. Returns the end of those that it placed. */
static int64_t place_parameters(struct gg_parameter_table *table, bool trained, int64_t offset) {
    enum { ALIGNMENT = 16 }; /* floats */
    for (int i = 0; i < table->count; i++) {
        if (table->items[i].trained != trained)
            continue;
        table->items[i].offset = offset;
        const int64_t elements = table->items[i].local_rows * table->items[i].local_columns;
        offset += (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return offset;
}

static void assign_offsets(struct gg_parameter_table *table) {
    table->trained_elements = place_parameters(table, true, 0);
    table->local_elements = place_parameters(table, false, table->trained_elements);
}

/* A tensor wants a gradient when it depends on something that is trained. */
static void find_gradients(struct gg_graph *graph) {
    for (int i = 0; i < graph->module_count; i++) {
        const struct gg_module *module = graph->modules[i];
        bool wanted = gg_module_trained(graph, module);
        for (int k = 0; k < module->input_count; k++)
            wanted = wanted || graph->tensors[module->inputs[k]].wants_gradient;
        if (module->output >= 0)
            graph->tensors[module->output].wants_gradient = wanted;
    }
}

/* A bias is added where the map's output is read anyway, if one module reads it and can add it: that spares a
 * pass over memory. */
static void defer_biases(struct gg_graph *graph) {
    for (int i = 0; i < graph->module_count; i++) {
        struct gg_module *reader = graph->modules[i];
        if (!reader->kind->adds_input_bias)
            continue;
        const struct gg_tensor *x = &graph->tensors[reader->inputs[0]];
        struct gg_module *map = graph->modules[x->producer];
        if (x->readers == 1 && map->kind->leave_bias != NULL && map->kind->leave_bias(map))
            reader->input_bias = map->parameters[1];
    }
}

/* Llama's page has maps apart, which what stands here needs; the others, GPT's names. */
static void write_page(const struct gg_model_config *config, struct gg_builder *b) {
    if (config->positions == GG_POSITIONS_ROTARY || config->kv_heads != config->heads || config->qk_norm ||
        config->activation == GG_ACTIVATION_SWIGLU)
        gg_architecture_llama(b);
    else if (config->norm_place == GG_NORM_POST)
        gg_architecture_gpt1(b);
    else
        gg_architecture_gpt2(b);
}

void gg_graph_make(const struct gg_model_config *config, const struct gg_shards *shards,
                   struct gg_graph *graph) {
    *graph = (struct gg_graph){
        .config = *config,
        .shards = *shards,
        .table = {.shards = *shards},
    };
    struct gg_builder *builder = gg_builder_create(graph);
    write_page(config, builder);
    gg_builder_destroy(&builder);
    assign_offsets(&graph->table);
    find_gradients(graph);
    defer_biases(graph);
}

void gg_graph_free(struct gg_graph *graph) {
    for (int i = 0; i < graph->module_count; i++)
        free(graph->modules[i]);
    free(graph->modules);
    free(graph->tensors);
    gg_parameter_table_free(&graph->table);
    *graph = (struct gg_graph){0};
}
