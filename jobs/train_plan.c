#include "jobs/train_plan.h"

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
                             struct gg_train_memory *memory) {
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
    uint64_t parts[] = {plan->memory.activations, loader, gg_memory_resident(), gg_memory_peak()};
    MPI_Allreduce(MPI_IN_PLACE, parts, 4, MPI_UINT64_T, MPI_MAX, world->comm);
    memory->plan = plan->memory;
    memory->plan.activations = parts[0];
    memory->loader = parts[1];
    memory->program = parts[2];
    memory->reached = parts[3];
}
