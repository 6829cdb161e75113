/* Gradients of what is replicated over token shards: vectors. Each token shard has its tokens' share.
 */
#ifndef GG_MPI_REDUCE_REPLICATED_H
#define GG_MPI_REDUCE_REPLICATED_H

#include "core/model/parameters.h"
#include "mpi/reduce/reduction.h"

#include <mpi.h>

/* Sums the replicated parts of the owned gradients over the token shards, each in the order of the shards: the same
 * bits whatever else is owned.
 *   scratch [in] (gg_replicated_scratch, core/plan/plan_memory.h)
 * Collective over token_comm, whose ranks own the same ranges. */
void gg_replicated_sum(MPI_Comm token_comm, const struct gg_parameter_table *table,
                       const struct gg_owned_range *owned, int count, float *scratch);

#endif
