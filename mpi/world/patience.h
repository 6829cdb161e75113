/* Waiting for other ranks without taking their processor: MPI's own waiting spins, which a thread behind the
 * training must not do for the seconds that a disk takes.
 */
#ifndef GG_MPI_WORLD_PATIENCE_H
#define GG_MPI_WORLD_PATIENCE_H

#include "core/base/status.h"

#include <mpi.h>

/* Waits until every rank is here; looks again after a sleep of up to a millisecond. Collective. */
void gg_barrier_patiently(MPI_Comm comm);

/* gg_agree() (mpi/world/world.h) that waits patiently for the last rank. Collective. */
gg_status gg_agree_patiently(MPI_Comm comm, gg_status status) GG_MUST_USE;

#endif
