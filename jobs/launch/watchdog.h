/* Ends a job that hangs, after every rank has said where it is: a job that waits for ever for a lost rank or
 * a file system burns its hours, one that ends can be started again.
 *
 * A thread of each rank counts how long no step has ended. At the limit it prints the rank's host, step,
 * phase and the collective it waits in, and calls the roll (mpi/world/roll_call.h). A few seconds later, when
 * the others have printed too, the lowest rank that can still be heard prints which ranks are not, with their
 * hosts, and aborts the job with status 1; the others do so some seconds after it should have. So the rank
 * that hangs is the one that prints another place than the rest; ranks that stand still, or that a cut link or
 * a dead host keeps from the rest, are those not heard from. Time in which the process itself stood still (a
 * suspended job) is not counted. A rank that is called when half of its limit is over is at its limit too: the
 * threads of different ranks do not count equally fast.
 *
 * The limit of a step is a multiple of the median step, but not below some minutes. What has no usual time
 * (start, validation, checkpoint) gets six times those minutes.
 *
 * One watchdog per process; local but for its start and stop.
 */
#ifndef GG_JOBS_LAUNCH_WATCHDOG_H
#define GG_JOBS_LAUNCH_WATCHDOG_H

#include "mpi/world/world.h"

#include <stdint.h>

/* Starts the thread; its limit is that of GG_WATCHED_LONG at first. To be called after MPI was started and the
 * signals were set up; without MPI_THREAD_MULTIPLE there is no roll call, and every rank ends the job.
 * Collective with the same arguments.
 *   multiple [in] of the median step; 0: no watchdog, the other functions do nothing
 *   minutes  [in] least limit of a step */
void gg_watchdog_start(const struct gg_world *world, double multiple, double minutes);

/* Ends the thread. To be called before MPI ends. Collective. */
void gg_watchdog_stop(void);

/* What is awaited from now on; sets the time back to zero. */
enum gg_watched {
    GG_WATCHED_STEP, /* the next step's end */
    GG_WATCHED_LONG  /* something without a usual time */
};
void gg_watchdog_await(enum gg_watched watched);

/* A step has ended.
 *   step    [in] its number
 *   seconds [in] it took; counts towards the median */
void gg_watchdog_step(int64_t step, double seconds);

/* Where this rank is now, for the message. Costs two stores.
 *   phase      [in] "forward and backward"
 *   collective [in] the collective operation it takes part in, NULL: none
 * Both are kept as pointers: string constants. */
void gg_watchdog_at(const char *phase, const char *collective);

#endif
