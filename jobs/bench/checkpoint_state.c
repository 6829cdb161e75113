#include "jobs/bench/checkpoint_state.h"

#include "core/base/memory.h"
#include "mpi/reduce/partition_gather.h"

#include <stdlib.h>
#include <string.h>

/* The buffers: weights drawn as a run's, the optimizer's states copied from them. */
static gg_status fill(struct gg_checkpoint_state *s, bool split, uint64_t seed) {
    const int64_t elements = s->replica.graph.table.local_elements;
    const int64_t owned =
        gg_partition_ranges(&s->replica.plan.partition, s->replica.topology.replica, s->ranges);
    const int64_t state = split ? owned : elements;
    GG_TRY(
        gg_try_malloc((size_t)(elements + 2 * state) * sizeof(float), "the state of the model", &s->memory));
    float *weights = s->memory;
    gg_parameters_initialise(&s->replica.graph.table, seed, weights);
    s->share =
        (struct gg_checkpoint_share){.table = &s->replica.graph.table,
                                     .ranges = s->ranges,
                                     .range_count = gg_int(s->replica.plan.partition.bucket_count),
                                     .values = {weights, weights + elements, weights + elements + state},
                                     .compact = {false, split, split}};
    for (int g = 1; g < GG_CHECKPOINT_GROUPS; g++)
        memcpy(s->share.values[g], weights, (size_t)state * sizeof(float));
    return GG_OK;
}

gg_status gg_checkpoint_state_make(const struct gg_world *world, const struct gg_settings *settings,
                                   int64_t vocab, struct gg_checkpoint_state *s) {
    GG_TRY(gg_replica_place(world, settings, &s->replica));
    GG_TRY(gg_replica_shape(&s->replica, vocab, GG_PRECISION_FP32, false));
    s->ranges = gg_malloc((size_t)s->replica.plan.partition.bucket_count * sizeof *s->ranges);
    return gg_agree(world->comm, fill(s, s->replica.plan.scattered, (uint64_t)settings->run.seed));
}

void gg_checkpoint_state_all_gather(struct gg_checkpoint_state *s) {
    for (int g = 0; g < GG_CHECKPOINT_GROUPS; g++)
        if (!s->share.compact[g])
            gg_partition_gather(&s->replica.plan.partition, s->replica.topology.across_replicas,
                                s->share.values[g]);
}

void gg_checkpoint_state_free(struct gg_checkpoint_state *s) {
    free(s->memory);
    free(s->ranges);
    gg_replica_close(&s->replica);
    *s = (struct gg_checkpoint_state){0};
}
