#include "jobs/launch/reduction_driver.h"

gg_status gg_reduction_driver_choose(const struct gg_world *world, const struct gg_settings *settings,
                                     const struct gg_topology *topology, const struct gg_launch_cores *cores,
                                     bool *thread) {
    const enum gg_driver wanted = (enum gg_driver)settings->parallel.progress;
    *thread = false;
    if (topology->replicas == 1 || wanted == GG_DRIVER_CALLS)
        return GG_OK;
    int possible = gg_world_takes_threads();
    MPI_Allreduce(MPI_IN_PLACE, &possible, 1, MPI_INT, MPI_MIN, world->comm);
    if (wanted == GG_DRIVER_THREAD && !possible)
        return gg_fail(GG_USAGE, "parallel.progress is thread, but this MPI lets only one thread call it (no "
                                 "MPI_THREAD_MULTIPLE); set calls or auto");
    const bool alone = topology->shards.feature_shards * topology->shards.token_shards == 1;
    *thread = wanted == GG_DRIVER_THREAD || (possible && cores->spare && alone);
    return GG_OK;
}

const char *gg_reduction_driver_name(bool thread) {
    return thread ? "a thread" : "calls between kernels";
}
