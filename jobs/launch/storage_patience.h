/* Storage that fails for a moment: a server that starts again, a folder on NFS whose listing lags behind by
 * half a minute, a machine that is out of descriptors. What failed is done again for a while, before a job
 * gives up.
 */
#ifndef GG_JOBS_LAUNCH_STORAGE_PATIENCE_H
#define GG_JOBS_LAUNCH_STORAGE_PATIENCE_H

#include "mpi/world/world.h"

#include <stdbool.h>

/* To be zeroed before the first try. */
struct gg_storage_patience {
    double begin, pause; /* when the first try failed, rank 0's; the next wait in seconds */
};

/* Whether to try again what a job's start has failed to do: waits first, a little longer each time, and feeds
 * the watchdog. False when `status` is neither GG_STORAGE nor GG_RESOURCE, or after 30 seconds
 * (GRIDGPT_STORAGE_SECONDS of rank 0's environment). Rank 0 warns the first time, with gg_failure().
 * Collective.
 *   status [in] the same on every rank */
bool gg_storage_patience_again(const struct gg_world *world, gg_status status,
                               struct gg_storage_patience *patience);

#endif
