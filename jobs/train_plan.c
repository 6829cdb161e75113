#include "jobs/train_plan.h"

#include "jobs/memory_limit.h"
#include "jobs/train_checkpoint.h"
#include "mpi/grid.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

size_t gg_train_memory_total(const struct gg_train_memory *m) {
    const size_t sum = m->program + m->weights + m->rounded + m->gradients + m->reduction + m->moments +
                       m->activations + m->products + m->batch + m->loader + m->checkpoint;
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

/* The largest micro-batch up to batch.micro that works on so many replicas; 0: none. */
static int64_t working_micro(const struct gg_settings *settings, int replicas, int token_shards) {
    for (int64_t micro = settings->batch.micro; micro > 0; micro--)
        if (settings->batch.sequences % (micro * replicas) == 0 && micro % token_shards == 0)
            return micro;
    return 0;
}

gg_status gg_train_plan_batch(const struct gg_settings *settings, int replicas, int token_shards) {
    const int64_t sequences = settings->batch.sequences, micro = settings->batch.micro;
    const int64_t round = micro * replicas;
    if (micro % token_shards != 0)
        return gg_fail(GG_USAGE, "batch.micro %lld is not a multiple of the %d token shards of parallel.grid",
                       (long long)micro, token_shards);
    if (sequences % round == 0)
        return GG_OK;
    char below[64] = "", other[64] = "";
    if (sequences > round)
        snprintf(below, sizeof below, "%lld or ", (long long)(sequences / round * round));
    const int64_t better = working_micro(settings, replicas, token_shards);
    if (better > 0)
        snprintf(other, sizeof other, ", or batch.micro %lld", (long long)better);
    return gg_fail(GG_USAGE,
                   "batch.sequences %lld is not a multiple of %lld (%d replicas x batch.micro %lld); "
                   "batch.sequences %s%lld would work%s",
                   (long long)sequences, (long long)round, replicas, (long long)micro, below,
                   (long long)((sequences / round + 1) * round), other);
}

gg_status gg_train_plan_make(const struct gg_world *world, const struct gg_settings *settings,
                             const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                             const struct gg_parameter_table *table, const struct gg_topology *topology,
                             const struct gg_train_data *data, size_t library_bytes,
                             struct gg_train_plan *plan) {
    const int64_t micro = settings->batch.micro;
    *plan = (struct gg_train_plan){
        .accumulation = settings->batch.sequences / (micro * topology->replicas),
        .local_sequences = micro / topology->token_shards,
        .tokens_per_step = settings->batch.sequences * config->context,
        .tokens_per_epoch = gg_loader_samples(data->train) * config->context,
    };
    struct gg_train_memory *memory = &plan->memory;
    const struct gg_loader_plan train = {.sequences = settings->batch.sequences,
                                         .micro = micro,
                                         .replica = topology->replica,
                                         .replicas = topology->replicas};
    const struct gg_loader_plan val = {.sequences = micro * topology->replicas,
                                       .micro = micro,
                                       .replica = topology->replica,
                                       .replicas = topology->replicas};
    memory->weights = memory->gradients = (size_t)table->local_elements * sizeof(float);
    plan->ownership = gg_reducer_ownership(topology->replica, topology->replicas, table->local_elements,
                                           GG_BUCKET_BYTES, settings->parallel.zero > 0);
    memory->reduction = plan->ownership.reducer_bytes;
    memory->moments = 2 * (size_t)plan->ownership.elements * sizeof(float);
    plan->partition = gg_partition_cut(table->local_elements, GG_BUCKET_BYTES, topology->replicas);
    if (gg_train_checkpoint_behind(settings))
        memory->checkpoint = GG_CHECKPOINT_GROUPS * sizeof(float) *
                             (size_t)gg_partition_ranges(&plan->partition, topology->replica, NULL);
    GG_TRY(
        gg_gpt_activation_bytes(config, fabric, GG_GPT_TRAIN, plan->local_sequences, &memory->activations));
    if (config->precision == GG_PRECISION_BF16) {
        memory->rounded = (size_t)table->local_elements * sizeof(gg_bf16);
        memory->activations -= memory->rounded;
    }
    memory->products =
        library_bytes + gg_grid_product_bytes(config, fabric, plan->local_sequences * config->context,
                                              settings->parallel.block);
    memory->batch = (size_t)micro * (2 * (size_t)config->context * sizeof(int32_t) + sizeof(uint64_t));
    memory->loader = gg_loader_bytes(data->train, &train);
    if (data->val != NULL)
        memory->loader += gg_loader_bytes(data->val, &val);
    memory->program = gg_memory_resident();
    memory->reached = gg_memory_peak();
    uint64_t parts[] = {memory->activations, memory->products, memory->loader, memory->program,
                        memory->reached};
    MPI_Allreduce(MPI_IN_PLACE, parts, 5, MPI_UINT64_T, MPI_MAX, world->comm);
    memory->activations = parts[0];
    memory->products = parts[1];
    memory->loader = parts[2];
    memory->program = parts[3];
    memory->reached = parts[4];
    return GG_OK;
}

gg_status gg_train_plan_check_limits(const struct gg_world *world, const struct gg_gpt_config *config,
                                     const struct gg_train_plan *plan) {
    const struct gg_train_memory *m = &plan->memory;
    /* Named as by those that allocate them. The loader's stand already. */
    const struct gg_memory_part parts[] = {
        {GG_TRAIN_STATE_NAME, m->weights + m->gradients + m->moments + m->batch},
        {gg_gpt_activations_name(config, GG_GPT_TRAIN), m->activations + m->rounded},
        {"the sum of gradients over replicas", m->reduction},
        {"the copy of a checkpoint", m->checkpoint},
    };
    return gg_memory_limit_check(world, parts, sizeof parts / sizeof *parts, NULL);
}
