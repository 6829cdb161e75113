#include "core/plan/state.h"

#include "core/plan/plan_memory.h"

void gg_state_lay_out(const struct gg_plan_request *request, const struct gg_graph *graph,
                      const struct gg_summation *summation, int64_t owned_elements, struct gg_arena *arena,
                      struct gg_state *state) {
    const struct gg_optimizer optimizer = gg_optimizer_make(request->optim);
    const int64_t micro = request->batch->micro, tokens = micro * graph->config.context;
    *state = (struct gg_state){0};
    state->weights = gg_arena_floats(arena, graph->table.local_elements);
    state->gradients = gg_arena_floats(arena, graph->table.trained_elements);
    for (int i = 0; i < gg_summation_levels(summation); i++)
        state->played[i] = gg_arena_floats(arena, graph->table.trained_elements);
    for (int i = 0; i < optimizer.kind->state_count; i++)
        state->optimizer[i] = gg_arena_floats(arena, owned_elements);
    if (graph->shards.token_shards > 1)
        state->replicated =
            gg_arena_floats(arena, gg_replicated_scratch(&graph->table, graph->shards.token_shards));
    struct gg_micro_batch *batch = &state->batch;
    batch->inputs = gg_arena_take(arena, (size_t)tokens * sizeof *batch->inputs);
    batch->targets = gg_arena_take(arena, (size_t)tokens * sizeof *batch->targets);
    batch->sample_ids = gg_arena_take(arena, (size_t)micro * sizeof *batch->sample_ids);
    if (request->marked) {
        batch->marks.loss_weights = gg_arena_floats(arena, tokens);
        batch->marks.label_weights = gg_arena_floats(arena, tokens);
        batch->marks.starts = gg_arena_take(arena, (size_t)tokens * sizeof *batch->marks.starts);
        batch->marks.labels = gg_arena_take(arena, (size_t)tokens * sizeof *batch->marks.labels);
    }
}

size_t gg_state_bytes(const struct gg_plan_request *request, const struct gg_graph *graph,
                      const struct gg_summation *summation, int64_t owned_elements) {
    struct gg_arena arena = {0};
    struct gg_state state;
    gg_state_lay_out(request, graph, summation, owned_elements, &arena, &state);
    return arena.used_bytes;
}
