#include "jobs/replica/replica.h"

#include "core/plan/legality.h"

gg_status gg_replica_place(const struct gg_world *world, const struct gg_settings *settings,
                           struct gg_replica *r) {
    r->world = world;
    r->settings = settings;
    r->optimizer = gg_optimizer_make(&settings->optim);
    const struct gg_plan_request request = gg_settings_plan_request(settings);
    GG_TRY(gg_legality_grid(&request, world->size, world->rank, &r->plan.place));
    gg_topology_create(world, &r->plan.place, &r->topology);
    return GG_OK;
}

gg_status gg_replica_shape(struct gg_replica *r, int64_t vocab, enum gg_precision precision, bool copies) {
    const struct gg_place place = r->plan.place;
    struct gg_model_config config;
    GG_TRY(gg_model_configure(&r->settings->model, &r->settings->compute, r->settings->run.seed, vocab,
                              &place.shards, &config));
    config.precision = precision;
    config.lora = r->settings->lora;
    gg_graph_make(&config, &place.shards, &r->graph);
    r->copies = copies;
    gg_replica_plan(r, 0);
    return GG_OK;
}

void gg_replica_plan(struct gg_replica *r, int reproducible) {
    const struct gg_place place = r->plan.place;
    struct gg_plan_request request = gg_settings_plan_request(r->settings);
    request.reproducible = reproducible;
    gg_plan_make(&request, &r->graph, &place, r->copies, &r->plan);
}

bool gg_replica_reads(const struct gg_replica *r) {
    return r->topology.shards.feature_index == 0 && r->topology.shards.token_index == 0;
}

struct gg_batch gg_replica_batch(const struct gg_replica *r, const struct gg_micro_batch *all,
                                 const struct gg_marks *marks, int64_t first, int64_t rows) {
    const int64_t context = r->graph.config.context;
    const struct gg_marks ours = gg_marks_from(marks, first * context);
    return (struct gg_batch){
        .sequences = rows,
        .time = context,
        .inputs = all->inputs + first * context,
        .targets = all->targets + first * context,
        .loss_weights = ours.loss_weights,
        .starts = all->marks.starts != NULL ? ours.starts : NULL,
        .labels = ours.labels,
        .label_weights = ours.label_weights,
        .sample_ids = all->sample_ids + first,
    };
}

gg_status gg_replica_open_grid(struct gg_replica *r) {
    const struct gg_shards *shards = &r->topology.shards;
    GG_TRY(gg_agree(r->world->comm,
                    gg_grid_create(r->topology.grid, shards->feature_shards, shards->token_shards,
                                   gg_int(r->settings->parallel.block), &r->grid)));
    r->fabric = *gg_grid_fabric(r->grid);
    return GG_OK;
}

gg_status gg_replica_open_weights(struct gg_replica *r) {
    GG_TRY(gg_replica_open_grid(r));
    gg_arena_floats(&r->arena, r->graph.table.local_elements);
    GG_TRY(gg_agree(r->world->comm, gg_arena_allocate(&r->arena, "the model's weights")));
    r->state.weights = gg_arena_floats(&r->arena, r->graph.table.local_elements);
    return GG_OK;
}

gg_status gg_replica_open_training(struct gg_replica *r, bool thread, const cpu_set_t *thread_cores) {
    const struct gg_plan_request request = gg_settings_plan_request(r->settings);
    gg_state_lay_out(&request, &r->graph, &r->plan.partition.summation, r->plan.owned_elements, &r->arena,
                     &r->state);
    GG_TRY(gg_agree(r->world->comm, gg_arena_allocate(&r->arena, GG_REPLICA_STATE_NAME)));
    gg_state_lay_out(&request, &r->graph, &r->plan.partition.summation, r->plan.owned_elements, &r->arena,
                     &r->state);
    r->tree = (struct gg_gradient_tree){.gradients = r->state.gradients,
                                        .waiting = r->state.played,
                                        .elements = r->graph.table.trained_elements,
                                        .played = gg_summation_played(&r->plan.partition.summation)};
    GG_TRY(gg_replica_open_grid(r));
    GG_TRY(gg_agree(r->world->comm,
                    gg_model_create(&r->graph, &r->fabric, GG_MODEL_TRAIN, r->plan.local_sequences,
                                    r->state.weights, r->state.gradients, &r->model)));
    const struct gg_reducer_options reduction = {.partition = r->plan.partition,
                                                 .wire = (enum gg_precision)r->settings->parallel.wire,
                                                 .scatter = r->plan.scattered,
                                                 .thread = thread,
                                                 .thread_cores = thread_cores};
    return gg_agree(r->world->comm, gg_reducer_create(r->topology.across_replicas, r->state.gradients,
                                                      &reduction, &r->reducer));
}

void gg_replica_close(struct gg_replica *r) {
    gg_reducer_destroy(&r->reducer);
    gg_model_destroy(&r->model);
    gg_grid_destroy(&r->grid);
    gg_arena_free(&r->arena);
    gg_graph_free(&r->graph);
    gg_topology_free(&r->topology);
    *r = (struct gg_replica){0};
}
