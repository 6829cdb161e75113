/* The P x Q process grid that holds one replica: its communicators, its BLACS context, and the fabric that
 * spreads a model over it with PBLAS.
 *
 * Consecutive ranks form a grid; inside it the feature shard runs fastest, so that a feature shard's
 * neighbours, which exchange most, share a node.
 */
#ifndef GG_MPI_GRID_GRID_H
#define GG_MPI_GRID_GRID_H

#include "core/base/status.h"
#include "core/model/model.h"

#include <mpi.h>
#include <stdbool.h>

typedef struct gg_grid gg_grid;

/* Makes the grid of this rank's replica, and its fabric. A 1x1 grid is the local fabric and makes no BLACS
 * context.
 *   replica_comm [in] the P * Q ranks of the replica; duplicated
 *   block        [in] PBLAS's logical block for this grid's products (parallel.block)
 * Collective over replica_comm. GG_FAILED when BLACS gives no context. */
gg_status gg_grid_create(MPI_Comm replica_comm, int feature_shards, int token_shards, int block,
                         gg_grid **grid) GG_MUST_USE;

/* Collective over the replica. */
void gg_grid_destroy(gg_grid **grid);

/* The fabric; valid as long as the grid. */
const struct gg_fabric *gg_grid_fabric(const gg_grid *grid);

/* Whether PBLAS multiplied a first small product's tiles with our sgemm_ (pblas.h) or with a library of its
 * own. False on a 1x1 grid, which has no use for PBLAS. */
bool gg_grid_uses_our_tiles(const gg_grid *grid);

/* Bytes that the exchange of embedding rows holds by now; 0 on a 1x1 grid. Local. */
size_t gg_grid_exchange_bytes(const gg_grid *grid);

/* The ranks of this rank's feature shard: Q of them, which hold the same vectors. */
MPI_Comm gg_grid_token_comm(const gg_grid *grid);

#endif
