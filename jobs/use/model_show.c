#include "jobs/use/model_show.h"

#include "core/model/graph_figures.h"
#include "core/model/presets.h"
#include "core/plan/legality.h"
#include "jobs/use/plan_show.h"

#include <stdio.h>
#include <string.h>

/* The model whole, on one rank. */
static gg_status make_graph(const struct gg_settings *settings, struct gg_graph *graph) {
    const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    struct gg_model_config config;
    int64_t vocab;
    GG_TRY(gg_plan_vocab(settings, &vocab));
    GG_TRY(
        gg_model_configure(&settings->model, &settings->compute, settings->run.seed, vocab, &whole, &config));
    config.lora = settings->lora;
    gg_graph_make(&config, &whole, graph);
    return GG_OK;
}

/* A setting's value in words. */
static const char *word(const struct gg_settings *settings, const char *name, char text[64]) {
    gg_options_format(gg_options_find(&gg_settings_table, name), settings, text, 64);
    return text;
}

static void print_shape(const struct gg_settings *settings, const struct gg_graph *graph) {
    const struct gg_model_config *c = &graph->config;
    char text[64];
    printf("%lld layers, %lld heads of %lld", (long long)c->layers, (long long)c->heads,
           (long long)c->head_size);
    if (c->kv_heads != c->heads)
        printf(" (%lld of keys and values)", (long long)c->kv_heads);
    printf(", width %lld, MLP %lld, context %lld, vocabulary %lld\n", (long long)c->width,
           (long long)c->mlp_width, (long long)c->context, (long long)c->vocab);
    static const char *const choices[] = {"model.norm",      "model.norm_place", "model.activation",
                                          "model.positions", "model.attention",  "model.window",
                                          "model.qk_norm",   "model.tied",       "model.biases"};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (i != 5 || c->window > 0)
            printf("%s%s %s", i > 0 ? ", " : "", choices[i] + strlen("model."),
                   word(settings, choices[i], text));
    printf("\n");
}

static int64_t elements(const struct gg_parameter *parameter) {
    return parameter->rows * parameter->columns;
}

static void print_figures(const struct gg_graph *graph) {
    int64_t embeddings = 0;
    for (int i = 0; i < graph->table.count; i++)
        if (graph->table.items[i].layout == GG_LAYOUT_EMBEDDING)
            embeddings += elements(&graph->table.items[i]);
    const int64_t all = gg_graph_parameter_count(graph);
    printf("parameters       %lld, %lld of them embeddings\n", (long long)all, (long long)embeddings);
    if (graph->config.lora.rank > 0)
        printf("trained          %lld of them: adapters of rank %lld\n",
               (long long)gg_graph_trained_count(graph), (long long)graph->config.lora.rank);
    printf("FLOPs per token  %.4g to train: 6 x matmul weights%s, and attention as its mask has it\n",
           gg_graph_flops_per_token(graph),
           graph->config.lora.rank > 0 ? " (frozen ones 4, and 2 before the first adapter)" : "");
}

static void print_tensors(const struct gg_parameter_table *table) {
    printf("tensors, in the order and under the names of a checkpoint\n");
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        char shape[64];
        if (p->dimensions == 1)
            snprintf(shape, sizeof shape, "(%lld)", (long long)p->columns);
        else
            snprintf(shape, sizeof shape, "(%lld, %lld)", (long long)p->rows, (long long)p->columns);
        printf("  %-56s %-18s %s\n", p->name, shape, p->decay ? "decays" : "");
    }
}

gg_status gg_model_show(const struct gg_settings *settings, int ranks, bool tensors) {
    struct gg_graph graph;
    int feature_shards, token_shards;
    GG_TRY(gg_grid_parse(settings->parallel.grid, &feature_shards, &token_shards));
    GG_TRY(make_graph(settings, &graph));
    print_shape(settings, &graph);
    print_figures(&graph);
    const gg_status status = gg_plan_show(settings, ranks > 0 ? ranks : feature_shards * token_shards);
    if (status == GG_OK && tensors)
        print_tensors(&graph.table);
    gg_graph_free(&graph);
    return status;
}

static void print_row(const char *name, const struct gg_graph *graph) {
    const struct gg_model_config *c = &graph->config;
    const double parameters = (double)gg_graph_parameter_count(graph);
    printf("| `%s` | %lld | %lld x %lld | %lld | %lld | %lld | %lld | %lld | %.1f M | %.2f | %.1f |\n", name,
           (long long)c->layers, (long long)c->heads, (long long)c->head_size, (long long)c->kv_heads,
           (long long)c->width, (long long)c->mlp_width, (long long)c->context, (long long)c->vocab,
           1e-6 * parameters, 1e-9 * gg_graph_flops_per_token(graph), 16e-9 * parameters);
}

gg_status gg_model_show_presets(void) {
    printf("| preset | layers | heads x size | key-value heads | width | MLP | context | vocabulary | "
           "parameters | GFLOP per token | GB of weights, gradients and AdamW |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|\n");
    gg_status status = GG_OK;
    for (int i = 1; status == GG_OK && gg_preset_names[i] != NULL; i++) {
        struct gg_settings settings;
        struct gg_graph graph;
        gg_settings_init(&settings);
        status = gg_settings_set(&settings, "model.preset", gg_preset_names[i], "preset");
        if (status == GG_OK)
            status = gg_settings_resolve(&settings);
        if (status == GG_OK)
            status = make_graph(&settings, &graph);
        if (status == GG_OK) {
            print_row(gg_preset_names[i], &graph);
            gg_graph_free(&graph);
        }
        gg_settings_free(&settings);
    }
    return status;
}
