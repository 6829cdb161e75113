#include "jobs/train/train_memory.h"

#include "core/model/model.h"
#include "jobs/launch/memory_limit.h"
#include "jobs/launch/process_memory.h"
#include "jobs/replica/replica.h"

size_t gg_train_memory_total(const struct gg_train_memory *m) {
    const size_t sum = m->program + gg_plan_memory_sum(&m->plan);
    return sum > m->reached ? sum : m->reached;
}

void gg_train_memory_measure(const struct gg_world *world, const struct gg_plan *plan,
                             const struct gg_settings *settings, const struct gg_train_data *data,
                             size_t library_bytes, struct gg_train_memory *memory) {
    const struct gg_place *place = &plan->place;
    const int64_t micro = settings->batch.micro;
    const struct gg_loader_plan train = {.sequences = settings->batch.sequences,
                                         .micro = micro,
                                         .replica = place->replica,
                                         .replicas = place->replicas};
    const struct gg_loader_plan val = {.sequences = micro * place->replicas,
                                       .micro = micro,
                                       .replica = place->replica,
                                       .replicas = place->replicas};
    size_t loader = data->train != NULL ? gg_loader_bytes(data->train, &train) : 0;
    for (int c = 0; c < data->val_corpora && data->val[c] != NULL; c++)
        loader += gg_loader_bytes(data->val[c], &val);
    uint64_t parts[] = {plan->memory.activations, plan->memory.products + library_bytes, loader,
                        gg_memory_resident(), gg_memory_peak()};
    MPI_Allreduce(MPI_IN_PLACE, parts, 5, MPI_UINT64_T, MPI_MAX, world->comm);
    memory->plan = plan->memory;
    memory->plan.activations = parts[0];
    memory->plan.products = parts[1];
    memory->plan.loader = parts[2];
    memory->program = parts[3];
    memory->reached = parts[4];
}

gg_status gg_train_memory_check_limits(const struct gg_world *world, const struct gg_graph *graph,
                                       const struct gg_train_memory *memory) {
    const struct gg_plan_memory *m = &memory->plan;
    /* Named as by those that allocate them. */
    const struct gg_memory_part parts[] = {
        {GG_REPLICA_STATE_NAME, m->weights + m->gradients + m->optimizer + m->batch},
        {gg_model_activations_name(graph, GG_MODEL_TRAIN), m->activations + m->rounded},
        {"the sum of gradients over replicas", m->reduction},
        {"the copy of a checkpoint", m->checkpoint},
        {"the look-ahead of token shards", m->loader},
        {"tasks and written texts", m->evaluation},
    };
    return gg_memory_limit_check(world, parts, sizeof parts / sizeof *parts, NULL);
}
