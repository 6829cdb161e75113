#include "core/model/lora_targets.h"

#include "core/base/memory.h"
#include "core/model/graph.h"
#include "core/model/module_internal.h"

#include <stdio.h>
#include <string.h>

/* The model whole, as far as the names of its maps go. */
static gg_status make_graph(const struct gg_model_settings *model, struct gg_graph *graph) {
    static const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    const struct gg_compute_settings compute = {0};
    struct gg_model_config config;
    const int64_t any = 64;
    GG_TRY(gg_model_configure(model, &compute, 0, model->vocab > 0 ? model->vocab : any, &whole, &config));
    gg_graph_make(&config, &whole, graph);
    return GG_OK;
}

/* The name of a map, without ".weight"; false where the module is none. */
static bool map_name(const struct gg_graph *graph, int index, char name[80]) {
    const struct gg_module *module = graph->modules[index];
    if (module->kind != &gg_linear_kind)
        return false;
    snprintf(name, 80, "%s", graph->table.items[module->parameters[0]].name);
    *strrchr(name, '.') = '\0';
    return true;
}

static bool names_a_map(const struct gg_graph *graph, char *target) {
    const struct gg_lora_settings one = {.targets = {&target, 1}};
    char name[80];
    for (int i = 0; i < graph->module_count; i++)
        if (map_name(graph, i, name) && gg_lora_is_target(&one, name))
            return true;
    return false;
}

/* "attn.c_attn, attn.c_proj, mlp.c_fc, mlp.c_proj": the maps of the first block. */
static void list_maps(const struct gg_graph *graph, char *text, size_t bytes) {
    size_t length = 0;
    char name[80];
    for (int i = 0; i < graph->module_count; i++) {
        if (graph->modules[i]->block != 0 || !map_name(graph, i, name))
            continue;
        const char *end = strstr(name, ".0.");
        length += (size_t)snprintf(text + length, length < bytes ? bytes - length : 0, "%s%s",
                                   length > 0 ? ", " : "", end != NULL ? end + 3 : name);
    }
}

static gg_status check(const struct gg_lora_settings *settings, const struct gg_graph *graph) {
    char maps[512] = "";
    for (size_t i = 0; i < settings->targets.count; i++)
        if (!names_a_map(graph, settings->targets.items[i])) {
            list_maps(graph, maps, sizeof maps);
            return gg_fail(GG_USAGE,
                           "finetune.lora.targets: the model has no map '%s'; its blocks have %s, which "
                           "are named whole or by their ends",
                           settings->targets.items[i], maps);
        }
    return GG_OK;
}

/* As PEFT's for these architectures. */
static void fill_in_targets(struct gg_lora_settings *settings, const struct gg_graph *graph) {
    static const char *const fused[] = {"c_attn"}, *const apart[] = {"q_proj", "v_proj"};
    const struct gg_option *row = gg_options_find(&gg_lora_setting_rows, "finetune.lora.targets");
    char name[] = "c_attn";
    if (names_a_map(graph, name))
        gg_options_set_list(row, settings, fused, 1);
    else
        gg_options_set_list(row, settings, apart, 2);
}

gg_status gg_lora_settings_resolve(struct gg_lora_settings *settings, const struct gg_model_settings *model) {
    struct gg_graph graph;
    if (settings->rank == 0 &&
        (settings->alpha != 0 || settings->dropout != 0 || settings->targets.count > 0))
        return gg_fail(GG_USAGE, "finetune.lora.%s has no meaning without finetune.lora.rank, and that is 0",
                       settings->alpha != 0     ? "alpha"
                       : settings->dropout != 0 ? "dropout"
                                                : "targets");
    if (settings->rank == 0)
        return GG_OK;
    if (settings->alpha == 0)
        settings->alpha = 2 * (double)settings->rank;
    GG_TRY(make_graph(model, &graph));
    if (settings->targets.count == 0)
        fill_in_targets(settings, &graph);
    const gg_status status = check(settings, &graph);
    gg_graph_free(&graph);
    return status;
}
