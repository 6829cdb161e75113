#include "jobs/bench/checkpoint_state.h"

#include "core/base/memory.h"
#include "mpi/reduce/partition_gather.h"

#include <stdlib.h>
#include <string.h>

/* The buffers: weights drawn as a run's, the optimizer's states made of them. */
static gg_status fill(struct gg_checkpoint_state *s, uint64_t seed) {
    const struct gg_optimizer_kind *kind = s->replica.optimizer.kind;
    const struct gg_plan *plan = &s->replica.plan;
    const int64_t elements = s->replica.graph.table.local_elements, state = plan->owned_elements;
    gg_partition_ranges(&plan->partition, s->replica.topology.replica, s->ranges);
    GG_TRY(gg_try_malloc((size_t)elements * sizeof(float) + gg_optimizer_state_bytes(kind, state),
                         "the state of the model", &s->memory));
    float *weights = s->memory;
    gg_parameters_initialise(&s->replica.graph.table, seed, weights);
    gg_parameter_table_part(&s->replica.graph.table, true, &s->trained);
    s->share = (struct gg_checkpoint_share){.table = &s->trained,
                                            .ranges = s->ranges,
                                            .range_count = gg_int(plan->partition.bucket_count),
                                            .optimizer = kind,
                                            .values = {weights}};
    for (int g = 1; g <= kind->state_count; g++) {
        s->share.values[g] = weights + elements + (g - 1) * state;
        s->share.compact[g] = plan->scattered;
        memcpy(s->share.values[g], weights, (size_t)state * sizeof(float));
    }
    return GG_OK;
}

gg_status gg_checkpoint_state_make(const struct gg_world *world, const struct gg_settings *settings,
                                   int64_t vocab, struct gg_checkpoint_state *s) {
    GG_TRY(gg_replica_place(world, settings, &s->replica));
    GG_TRY(gg_replica_shape(&s->replica, vocab, GG_PRECISION_FP32, false));
    s->ranges = gg_malloc((size_t)s->replica.plan.partition.bucket_count * sizeof *s->ranges);
    return gg_agree(world->comm, fill(s, (uint64_t)settings->run.seed));
}

void gg_checkpoint_state_all_gather(struct gg_checkpoint_state *s) {
    for (int g = 0; g < 1 + s->share.optimizer->state_count; g++)
        if (!s->share.compact[g])
            gg_partition_gather(&s->replica.plan.partition, s->replica.topology.across_replicas,
                                s->share.values[g]);
}

void gg_checkpoint_state_free(struct gg_checkpoint_state *s) {
    gg_parameter_table_free(&s->trained);
    free(s->memory);
    free(s->ranges);
    gg_replica_close(&s->replica);
    *s = (struct gg_checkpoint_state){0};
}
