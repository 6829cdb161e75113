/* Gradients of what is repeated over token shards: vectors. Each token shard has its tokens'
 * share.
 */
#ifndef GG_MPI_REPEATED_H
#define GG_MPI_REPEATED_H

#include "core/model/parameters.h"
#include "mpi/reduction.h"

#include <mpi.h>

/* Sums the repeated parts of the owned gradients over the token shards, in one allreduce.
 *   scratch [in] (gg_parameters_replicated)
 * Collective over
 * token_comm, whose ranks own the same ranges. */
void gg_repeated_sum(MPI_Comm token_comm, const struct gg_parameter_table *table,
                     const struct gg_owned_range *owned, int count, float *scratch);

#endif
