#include "core/model/recompute_internal.h"

#include "core/base/memory.h"
#include "core/model/module_internal.h"

#include <stdlib.h>

/* A tensor is lost when its region makes it and nobody outside reads it: the stream out of a region is kept.
 * The last block keeps everything, for the backward pass begins with it. */
static int region_of(const struct gg_graph *graph, const struct gg_module *module) {
    if (module->block < 0 || module->block == graph->block_count - 1)
        return -1;
    switch (graph->config.recompute) {
    case GG_RECOMPUTE_BLOCK:
        return module->block;
    case GG_RECOMPUTE_ATTENTION:
        return module->attention ? module->block : -1;
    case GG_RECOMPUTE_NONE:
        break;
    }
    return -1;
}

/* Whether the backward pass reads a tensor. */
static bool is_read(const struct gg_graph *graph, int tensor) {
    for (int i = graph->tensors[tensor].producer; i < graph->module_count; i++) {
        const struct gg_module *module = graph->modules[i];
        for (int p = 0; p < 3 && module->kind->pieces[p].run != NULL; p++) {
            const unsigned does = module->kind->pieces[p].does;
            bool reads = does & GG_READS_Y && module->output == tensor;
            for (int k = 0; k < module->input_count; k++)
                reads = reads || (gg_reads_input(does, k) && module->inputs[k] == tensor);
            if (reads && gg_piece_is_wanted(graph, module, does))
                return true;
        }
    }
    return false;
}

/* A module that can recompute its output while it computes its gradient does so where the rest of its block
 * is recomputed too, and in bf16, whose point is memory: GELU's output is a quarter of a block's
 * activations. Where weights are frozen there may be no such gradient, or nobody who reads the output. */
static bool remakes(const struct gg_graph *graph, const struct gg_module *module, int region) {
    return module->kind->remakes_output && module->block >= 0 && module->block < graph->block_count - 1 &&
           (region >= 0 || graph->config.precision == GG_PRECISION_BF16) &&
           graph->tensors[module->output].wants_gradient && is_read(graph, module->output);
}

static void find_lost(const struct gg_graph *graph, struct gg_recompute_plan *plan) {
    for (int i = 0; i < graph->module_count; i++) {
        const struct gg_module *module = graph->modules[i];
        plan->region[i] = region_of(graph, module);
        if (module->output < 0)
            continue;
        plan->remade[module->output] = remakes(graph, module, plan->region[i]);
        plan->lost[module->output] = plan->region[i] >= 0 || plan->remade[module->output];
    }
    for (int i = 0; i < graph->module_count; i++) {
        const struct gg_module *module = graph->modules[i];
        for (int k = 0; k < module->input_count; k++) {
            const int x = module->inputs[k];
            if (plan->region[graph->tensors[x].producer] != plan->region[i])
                plan->lost[x] = plan->remade[x];
        }
    }
}

static bool must_recompute(const struct gg_recompute_plan *plan, int tensor) {
    return plan->lost[tensor] && !plan->remade[tensor];
}

bool gg_recompute_needed(const struct gg_recompute_plan *plan, const struct gg_graph *graph, int index,
                         unsigned does) {
    const struct gg_module *module = graph->modules[index];
    if (plan->region[index] < 0)
        return false;
    if (does & GG_READS_SAVED || (does & GG_READS_Y && must_recompute(plan, module->output)))
        return true;
    for (int k = 0; k < module->input_count; k++)
        if (gg_reads_input(does, k) && must_recompute(plan, module->inputs[k]))
            return true;
    return false;
}

/* Modules whose values the backward pass reads. */
static void find_rerun(const struct gg_graph *graph, struct gg_recompute_plan *plan) {
    for (int i = 0; i < graph->module_count; i++) {
        const struct gg_module *module = graph->modules[i];
        for (int p = 0; p < 3 && module->kind->pieces[p].run != NULL && plan->region[i] >= 0; p++) {
            const unsigned does = module->kind->pieces[p].does;
            if (!gg_piece_is_wanted(graph, module, does))
                continue;
            if (does & (GG_READS_SAVED | GG_READS_Y))
                plan->rerun[i] = true;
            for (int k = 0; k < module->input_count; k++)
                if (gg_reads_input(does, k) && must_recompute(plan, module->inputs[k]))
                    plan->rerun[graph->tensors[module->inputs[k]].producer] = true;
        }
    }
}

/* And those whose values they read in turn. */
static void close_rerun(const struct gg_graph *graph, struct gg_recompute_plan *plan) {
    for (int i = graph->module_count - 1; i >= 0; i--)
        for (int k = 0; plan->rerun[i] && k < graph->modules[i]->input_count; k++) {
            const int x = graph->modules[i]->inputs[k];
            if (plan->lost[x])
                plan->rerun[graph->tensors[x].producer] = true;
        }
}

struct gg_recompute_plan gg_recompute_make(const struct gg_graph *graph, enum gg_model_use use) {
    const size_t modules = (size_t)graph->module_count, tensors = (size_t)graph->tensor_count;
    struct gg_recompute_plan plan = {
        .region = gg_malloc(modules * sizeof *plan.region),
        .lost = gg_calloc(tensors, sizeof *plan.lost),
        .remade = gg_calloc(tensors, sizeof *plan.remade),
        .rerun = gg_calloc(modules, sizeof *plan.rerun),
        .region_done = gg_calloc((size_t)graph->block_count + 1, sizeof *plan.region_done),
    };
    for (size_t i = 0; i < modules; i++)
        plan.region[i] = -1;
    if (use != GG_MODEL_TRAIN)
        return plan;
    find_lost(graph, &plan);
    find_rerun(graph, &plan);
    close_rerun(graph, &plan);
    return plan;
}

void gg_recompute_free(struct gg_recompute_plan *plan) {
    free(plan->region);
    free(plan->lost);
    free(plan->remade);
    free(plan->rerun);
    free(plan->region_done);
    *plan = (struct gg_recompute_plan){0};
}
