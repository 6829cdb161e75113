/* Mistakes in how a job was launched, each found at its start and told in one message.
 */
#ifndef GG_JOBS_LAUNCH_LAUNCH_CHECK_H
#define GG_JOBS_LAUNCH_LAUNCH_CHECK_H

#include "core/base/status.h"
#include "jobs/command/command_line.h"
#include "jobs/launch/gemm_rate.h"
#include "mpi/world/world.h"

#include <sched.h>
#include <stdbool.h>

/* Before MPI starts: a task of a Slurm step (srun) that got no way to find the others. Open MPI would end
 * with a page about how it was built, others would start N times a world of one. GG_USAGE; only the step's
 * first task has a description, the others' is empty. Local. */
gg_status gg_launch_check_environment(void) GG_MUST_USE;

/* After MPI started: the launcher (srun, mpirun) started more tasks than the world has ranks. GG_USAGE; only
 * the launcher's first task has a description. Local. */
gg_status gg_launch_check_world(const struct gg_world *world) GG_MUST_USE;

/* All ranks run the same program file and were given the same words and settings file (one that a rank cannot
 * read does not count: it takes rank 0's). GG_USAGE, naming the ranks that differ from rank 0 and their
 * hosts. Collective; fails alike on every rank. */
gg_status gg_launch_check_same(const struct gg_world *world, const struct gg_words *words) GG_MUST_USE;

/* The cores that a rank's threads run on. */
struct gg_launch_cores {
    cpu_set_t allowed;   /* to this rank */
    bool oversubscribed; /* some node's ranks have more threads than cores: it was warned of */
    bool spare;          /* every rank has a core more than its threads want, its own or its node's */
};

/* Refuses ranks that are bound to fewer cores than they have threads (GG_USAGE), and warns on standard error
 * when the ranks of a node have more threads than the cores they may run on. Collective; fails alike on every
 * rank.
 *   threads [in] of this rank
 *   cores   [out] the two truth values are the same on every rank */
gg_status gg_launch_check_cores(const struct gg_world *world, int threads,
                                struct gg_launch_cores *cores) GG_MUST_USE;

/* Warns when some rank's matrix multiply is far below what its processor can do, and says what to set.
 * Measures the processor, about a tenth of a second. Collective.
 *   rate [in] measured on this rank */
void gg_launch_check_gemm(const struct gg_world *world, const struct gg_gemm_rate *rate);

#endif
