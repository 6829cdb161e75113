/* All-gather of what replicas hold of a flat buffer, each its parts (core/plan/partition.h).
 */
#ifndef GG_MPI_REDUCE_PARTITION_GATHER_H
#define GG_MPI_REDUCE_PARTITION_GATHER_H

#include "core/plan/partition.h"

#include <mpi.h>

/* Gives every replica's parts of a flat buffer to all.
 *   replicas [in] one rank of each, in order
 * Collective over `replicas`. */
void gg_partition_gather(const struct gg_partition *partition, MPI_Comm replicas, float *flat);

#endif
