#include "mpi/topology.h"

#include <errno.h>
#include <stdlib.h>

/* A count from 1 to a million at *text, moved past it; 0 when there is none. */
static int read_count(const char **text) {
    char *end;
    if (**text < '0' || **text > '9')
        return 0;
    errno = 0;
    const long value = strtol(*text, &end, 10);
    *text = end;
    return errno == 0 && value >= 1 && value <= 10000 ? (int)value : 0;
}

gg_status gg_grid_parse(const char *grid, int *feature_shards, int *token_shards) {
    const char *at = grid != NULL ? grid : "1x1";
    const int p = read_count(&at);
    const int q = *at == 'x' ? (at++, read_count(&at)) : 0;
    if (p == 0 || q == 0 || *at != '\0')
        return gg_fail(GG_USAGE, "parallel.grid is '%s'; it needs two counts as PxQ, 1x1 or 2x2 for example",
                       grid);
    *feature_shards = p;
    *token_shards = q;
    return GG_OK;
}

void gg_topology_create(const struct gg_world *world, int p, int q, struct gg_topology *topology) {
    GG_ASSERT(world->size % (p * q) == 0);
    topology->replicas = world->size / (p * q);
    topology->shards.feature_shards = p;
    topology->shards.token_shards = q;
    topology->replica = world->rank / (p * q);
    topology->shards.feature_index = world->rank % (p * q) % p;
    topology->shards.token_index = world->rank % (p * q) / p;
    MPI_Comm_split(world->comm, world->rank % (p * q), world->rank, &topology->across_replicas);
    MPI_Comm_split(world->comm, topology->replica, world->rank, &topology->grid);
}

void gg_topology_free(struct gg_topology *topology) {
    if (topology->replicas > 0) {
        MPI_Comm_free(&topology->across_replicas);
        MPI_Comm_free(&topology->grid);
    }
    *topology = (struct gg_topology){0};
}
