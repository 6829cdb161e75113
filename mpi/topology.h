/* How the world's ranks are dealt out: D replicas, each a grid of P x Q ranks.
 *
 * Consecutive ranks form one grid, column by column: rank = (replica * Q + q) * P + p, so that the feature
 * shards of a token shard are neighbours.
 */
#ifndef GG_MPI_TOPOLOGY_H
#define GG_MPI_TOPOLOGY_H

#include "core/base/status.h"
#include "core/model/shards.h"
#include "mpi/world.h"

#include <mpi.h>

struct gg_topology {
    int replicas, replica;    /* D, and this rank's d */
    struct gg_shards shards;  /* P, Q, and this rank's p and q */
    MPI_Comm across_replicas; /* the D ranks that hold the same part of the model; rank order = replica */
    MPI_Comm grid;            /* the P x Q ranks of this replica */
};

/* Reads "PxQ". GG_USAGE: not of that form. Local. */
gg_status gg_grid_parse(const char *grid, int *feature_shards, int *token_shards) GG_MUST_USE;

/* Splits the world into grids of P x Q, which divides its size. Collective with the same arguments. */
void gg_topology_create(const struct gg_world *world, int feature_shards, int token_shards,
                        struct gg_topology *topology);

/* Frees the communicators; zeroed memory is taken as well. Collective. */
void gg_topology_free(struct gg_topology *topology);

#endif
