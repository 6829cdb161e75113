/* What drives the sum of the gradients over replicas on while the backward pass runs.
 */
#ifndef GG_JOBS_LAUNCH_REDUCTION_DRIVER_H
#define GG_JOBS_LAUNCH_REDUCTION_DRIVER_H

#include "jobs/command/settings.h"
#include "jobs/launch/launch_check.h"
#include "mpi/world/topology.h"
#include "mpi/world/world.h"

/* Chooses as parallel.progress says. By itself it takes a thread where every rank has a core to spare and is
 * a replica of its own: on a grid, the products' messages call MPI all the time anyway.
 *   thread [out] the same on every rank; false with one replica, where there is nothing to sum
 * Collective over the world. GG_USAGE: a thread is wanted, and MPI lets only one thread call it. */
gg_status gg_reduction_driver_choose(const struct gg_world *world, const struct gg_settings *settings,
                                     const struct gg_topology *topology, const struct gg_launch_cores *cores,
                                     bool *thread) GG_MUST_USE;

/* "calls between kernels", "a thread". */
const char *gg_reduction_driver_name(bool thread);

#endif
