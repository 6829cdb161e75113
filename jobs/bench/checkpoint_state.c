#include "jobs/bench/checkpoint_state.h"

#include "core/base/memory.h"
#include "core/plan/legality.h"
#include "mpi/reduce/partition_gather.h"
#include "mpi/reduce/reduction.h"

#include <stdlib.h>
#include <string.h>

/* The buffers: weights drawn as a run's, moments made of them. */
static gg_status fill(struct gg_checkpoint_state *s, bool split, uint64_t seed) {
    const int64_t elements = s->graph.table.local_elements;
    const int64_t owned = gg_partition_ranges(&s->partition, s->topology.replica, s->ranges);
    const int64_t moment = split ? owned : elements;
    GG_TRY(
        gg_try_malloc((size_t)(elements + 2 * moment) * sizeof(float), "the state of the model", &s->memory));
    float *weights = s->memory;
    gg_parameters_initialise(&s->graph.table, seed, weights);
    s->share =
        (struct gg_checkpoint_share){.table = &s->graph.table,
                                     .ranges = s->ranges,
                                     .range_count = gg_int(s->partition.bucket_count),
                                     .values = {weights, weights + elements, weights + elements + moment},
                                     .compact = {false, split, split}};
    for (int g = 1; g < GG_CHECKPOINT_GROUPS; g++)
        memcpy(s->share.values[g], weights, (size_t)moment * sizeof(float));
    return GG_OK;
}

gg_status gg_checkpoint_state_make(const struct gg_world *world, const struct gg_settings *settings,
                                   int64_t vocab, struct gg_checkpoint_state *s) {
    struct gg_place place;
    const struct gg_plan_request request = gg_settings_plan_request(settings);
    GG_TRY(gg_legality_grid(&request, world->size, world->rank, &place));
    gg_topology_create(world, &place, &s->topology);
    struct gg_model_config config;
    GG_TRY(gg_model_configure(&settings->model, &settings->compute, settings->run.seed, vocab,
                              &s->topology.shards, &config));
    gg_graph_make(&config, &s->topology.shards, &s->graph);
    s->partition = gg_partition_cut(s->graph.table.local_elements, GG_BUCKET_BYTES, s->topology.replicas);
    s->ranges = gg_malloc((size_t)s->partition.bucket_count * sizeof *s->ranges);
    return gg_agree(world->comm, fill(s, settings->parallel.zero > 0 && s->topology.replicas > 1,
                                      (uint64_t)settings->run.seed));
}

void gg_checkpoint_state_hand_round(struct gg_checkpoint_state *s) {
    for (int g = 0; g < GG_CHECKPOINT_GROUPS; g++)
        if (!s->share.compact[g])
            gg_partition_gather(&s->partition, s->topology.across_replicas, s->share.values[g]);
}

void gg_checkpoint_state_free(struct gg_checkpoint_state *s) {
    free(s->memory);
    free(s->ranges);
    gg_graph_free(&s->graph);
    gg_topology_free(&s->topology);
    *s = (struct gg_checkpoint_state){0};
}
