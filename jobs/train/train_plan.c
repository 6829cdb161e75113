#include "jobs/train/train_plan.h"

#include "core/model/model.h"
#include "jobs/launch/memory_limit.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

size_t gg_train_memory_total(const struct gg_train_memory *m) {
    const size_t sum = m->program + gg_plan_memory_sum(&m->plan) + m->loader;
    return sum > m->reached ? sum : m->reached;
}

size_t gg_memory_resident(void) {
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%*u %llu", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

size_t gg_memory_peak(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
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
    size_t loader = gg_loader_bytes(data->train, &train);
    if (data->val != NULL)
        loader += gg_loader_bytes(data->val, &val);
    uint64_t parts[] = {plan->memory.activations, plan->memory.products + library_bytes, loader,
                        gg_memory_resident(), gg_memory_peak()};
    MPI_Allreduce(MPI_IN_PLACE, parts, 5, MPI_UINT64_T, MPI_MAX, world->comm);
    memory->plan = plan->memory;
    memory->plan.activations = parts[0];
    memory->plan.products = parts[1];
    memory->loader = parts[2];
    memory->program = parts[3];
    memory->reached = parts[4];
}

gg_status gg_train_memory_check_limits(const struct gg_world *world, const struct gg_graph *graph,
                                       const struct gg_train_memory *memory) {
    const struct gg_plan_memory *m = &memory->plan;
    /* Named as by those that allocate them. */
    const struct gg_memory_part parts[] = {
        {GG_TRAIN_STATE_NAME, m->weights + m->gradients + m->optimizer + m->batch},
        {gg_model_activations_name(graph, GG_MODEL_TRAIN), m->activations + m->rounded},
        {"the sum of gradients over replicas", m->reduction},
        {"the copy of a checkpoint", m->checkpoint},
        {"the look-ahead of token shards", memory->loader},
    };
    return gg_memory_limit_check(world, parts, sizeof parts / sizeof *parts, NULL);
}
