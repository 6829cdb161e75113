/* What follows from a graph: its products, its parameters and FLOPs. */
#include "core/model/graph_figures.h"

#include "core/model/module_internal.h"

const struct gg_linear *gg_graph_linear(const struct gg_graph *graph, int index, const char **name) {
    for (int i = 0; i < graph->module_count; i++) {
        const struct gg_module *module = graph->modules[i];
        if (module->kind->linear == NULL || index-- > 0)
            continue;
        *name = graph->table.items[module->parameters[0]].name;
        return module->kind->linear(module);
    }
    return NULL;
}

int64_t gg_graph_parameter_count(const struct gg_graph *graph) {
    int64_t count = 0;
    for (int i = 0; i < graph->table.count; i++)
        count += graph->table.items[i].rows * graph->table.items[i].columns;
    return count;
}

int64_t gg_graph_trained_count(const struct gg_graph *graph) {
    int64_t count = 0;
    for (int i = 0; i < graph->table.count; i++)
        if (graph->table.items[i].trained)
            count += graph->table.items[i].rows * graph->table.items[i].columns;
    return count;
}

double gg_graph_flops_per_token(const struct gg_graph *graph) {
    double flops = 0;
    for (int i = 0; i < graph->module_count; i++) {
        const struct gg_module *module = graph->modules[i];
        if (module->kind->linear != NULL) {
            const struct gg_parameter *weight = &graph->table.items[module->parameters[0]];
            const int products = 1 + gg_piece_is_wanted(graph, module, GG_MAKES_INPUT_GRADIENT) +
                                 gg_piece_is_wanted(graph, module, GG_MAKES_PARAMETER_GRADIENT);
            flops += 2 * products * (double)weight->rows * (double)weight->columns;
        }
        if (module->kind->own_flops_per_token != NULL)
            flops += module->kind->own_flops_per_token(graph, module) *
                     (gg_piece_is_wanted(graph, module, GG_MAKES_INPUT_GRADIENT) ? 1.0 : 1.0 / 3);
    }
    return flops;
}
