/* Micro-batches for all ranks of a replica: one of them reads, the others of its grid get what it read.
 */
#ifndef GG_JOBS_REPLICA_FEED_H
#define GG_JOBS_REPLICA_FEED_H

#include "io/shards/loader.h"

#include <mpi.h>

/* The next micro-batch. Collective over the grid, whose rank 0 reads.
 *   loader     [in]  started; on ranks that do not read NULL
 *   to              [out] (micro, context), with marks where the source has them
 *   waited_seconds  [out] as gg_loader_next; 0 on ranks that do not read; NULL if not wanted
 * Errors: the loader's, alike on every rank of the grid. */
gg_status gg_feed_next(MPI_Comm grid, gg_loader *loader, int64_t micro, int64_t context,
                       const struct gg_micro_batch *to, double *waited_seconds) GG_MUST_USE;

#endif
