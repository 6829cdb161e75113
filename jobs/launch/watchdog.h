/* Ends a job that hangs, after every rank has said where it is: a job that waits for ever for a lost rank or
 * a file system burns its hours, one that ends can be started again.
 *
 * A thread of each rank counts how long no step has ended. At the limit it prints the rank's host, step,
 * phase and the collective it waits in; a few seconds later, when the others have printed too, it aborts the
 * job with status 1. The rank that hangs may be the one that prints another place than the rest, or the one
 * that prints nothing. Time in which the process itself stood still (a suspended job) is not counted.
 *
 * The limit of a step is a multiple of the median step, but not below some minutes. What has no usual time
 * (start, validation, checkpoint) gets six times those minutes.
 *
 * One watchdog per process; all local.
 */
#ifndef GG_JOBS_LAUNCH_WATCHDOG_H
#define GG_JOBS_LAUNCH_WATCHDOG_H

#include <stdint.h>

/* Starts the thread; its limit is that of GG_WATCHED_LONG at first. To be called after MPI was started with
 * MPI_THREAD_MULTIPLE and the signals were set up.
 *   multiple [in] of the median step; 0: no watchdog, the other functions do nothing
 *   minutes  [in] least limit of a step */
void gg_watchdog_start(int rank, double multiple, double minutes);

/* Ends the thread. To be called before MPI ends. */
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
