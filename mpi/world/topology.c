#include "mpi/world/topology.h"

void gg_topology_create(const struct gg_world *world, const struct gg_place *place,
                        struct gg_topology *topology) {
    const int grid = place->shards.feature_shards * place->shards.token_shards;
    GG_ASSERT(world->size % grid == 0);
    topology->replicas = place->replicas;
    topology->replica = place->replica;
    topology->shards = place->shards;
    MPI_Comm_split(world->comm, world->rank % grid, world->rank, &topology->across_replicas);
    MPI_Comm_split(world->comm, topology->replica, world->rank, &topology->grid);
}

void gg_topology_free(struct gg_topology *topology) {
    if (topology->replicas > 0) {
        MPI_Comm_free(&topology->across_replicas);
        MPI_Comm_free(&topology->grid);
    }
    *topology = (struct gg_topology){0};
}
