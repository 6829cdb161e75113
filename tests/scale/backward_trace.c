#include "tests/scale/backward_trace.h"

#include "core/base/memory.h"
#include "core/model/model_settings.h"
#include "core/model/step_list_internal.h"

#include <stdlib.h>
#include <string.h>

static gg_status configure(int preset, int64_t layers, struct gg_model_config *config) {
    bool *given = gg_calloc(gg_model_setting_rows.count, sizeof *given);
    struct gg_model_settings settings = {0};
    struct gg_compute_settings compute = {.precision = GG_PRECISION_BF16};
    const struct gg_shards alone = {1, 0, 1, 0};
    gg_options_defaults(&gg_model_setting_rows, &settings);
    settings.preset = preset;
    if (layers > 0) {
        settings.layers = layers;
        for (size_t i = 0; i < gg_model_setting_rows.count; i++)
            given[i] = strcmp(gg_model_setting_rows.options[i].name, "model.layers") == 0;
    }
    gg_status status = gg_model_settings_resolve(&settings, given);
    if (status == GG_OK)
        status = gg_model_configure(&settings, &compute, 0, settings.vocab, &alone, config);
    gg_options_free(&gg_model_setting_rows, &settings);
    free(given);
    return status;
}

/* Of one of the products of a map. */
static double product_flops(const struct gg_graph *graph, const struct gg_module *module) {
    const struct gg_parameter *weight = &graph->table.items[module->parameters[0]];
    return 2 * (double)weight->rows * (double)weight->columns;
}

/* Of a step: a map's forward pass is one product, each piece of its backward pass another; a head's forward pass is
 * all three. What a module does by itself (attention) is a third forward and two thirds backward, in its first
 * piece. */
static double step_flops(const struct gg_graph *graph, const struct gg_step *step, bool backward) {
    const struct gg_module_kind *kind = step->module->kind;
    double flops = 0;
    if (kind->linear != NULL)
        flops += product_flops(graph, step->module) * (step->module->output < 0 ? 3 : 1);
    if (kind->own_flops_per_token != NULL && (!backward || step->run == kind->pieces[0].run))
        flops += kind->own_flops_per_token(graph, step->module) * (backward ? 2.0 / 3 : 1.0 / 3);
    return flops;
}

gg_status backward_trace_make(int preset, int64_t layers, struct backward_trace *trace) {
    struct gg_model_config config;
    struct gg_graph graph;
    const struct gg_shards alone = {1, 0, 1, 0};
    GG_TRY(configure(preset, layers, &config));
    gg_graph_make(&config, &alone, &graph);
    struct gg_step_list *list = gg_step_list_make(&graph, GG_MODEL_TRAIN, 1);
    *trace = (struct backward_trace){.elements = graph.table.trained_elements,
                                     .steps = gg_calloc((size_t)list->count, sizeof *trace->steps)};
    for (int i = 0; i < list->count; i++) {
        const bool backward = i >= list->forward_count;
        const double flops = step_flops(&graph, &list->items[i], backward);
        if (backward)
            trace->steps[trace->count++] = (struct backward_step){flops, list->items[i].final_from};
        else
            trace->forward_flops += flops;
    }
    gg_step_list_free(&list);
    gg_graph_free(&graph);
    return GG_OK;
}
