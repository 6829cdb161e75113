/* The communicators of a layout of ranks (core/plan/place.h).
 */
#ifndef GG_MPI_WORLD_TOPOLOGY_H
#define GG_MPI_WORLD_TOPOLOGY_H

#include "core/base/status.h"
#include "core/plan/place.h"
#include "mpi/world/world.h"

#include <mpi.h>

struct gg_topology {
    int replicas, replica;    /* D, and this rank's d */
    struct gg_shards shards;  /* P, Q, and this rank's p and q */
    MPI_Comm across_replicas; /* the D ranks that hold the same part of the model; rank order = replica */
    MPI_Comm grid;            /* the P x Q ranks of this replica */
};

/* Splits the world as its ranks' places say. Collective. */
void gg_topology_create(const struct gg_world *world, const struct gg_place *place,
                        struct gg_topology *topology);

/* Frees the communicators; zeroed memory is taken as well. Collective. */
void gg_topology_free(struct gg_topology *topology);

#endif
