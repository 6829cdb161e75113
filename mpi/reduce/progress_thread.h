/* A thread that drives nonblocking communication on while the others compute.
 */
#ifndef GG_MPI_REDUCE_PROGRESS_THREAD_H
#define GG_MPI_REDUCE_PROGRESS_THREAD_H

#include "core/base/status.h"

#include <sched.h>
#include <stdbool.h>

typedef struct gg_progress_thread gg_progress_thread;

/* What the thread does. `drive` does what can be done now and returns whether anything was; `done` says
 * whether nothing is left for the time being. Both are called by the thread, `done` by those who wait too. */
struct gg_progress_work {
    bool (*drive)(void *context);
    bool (*done)(void *context);
    void *context;
};

/* Starts the thread, asleep. It computes alone: an OpenMP region in `drive` has one thread.
 *   cores [in] where it may run; NULL: where its maker may
 * Local. GG_RESOURCE: no thread is to be had. */
gg_status gg_progress_thread_start(const struct gg_progress_work *work, const cpu_set_t *cores,
                                   gg_progress_thread **thread) GG_MUST_USE;

/* Ends it; its work must be done. NULL is fine. */
void gg_progress_thread_stop(gg_progress_thread **thread);

/* There is work: the thread drives until it is done. */
void gg_progress_thread_wake(gg_progress_thread *thread);

/* Sleeps until the work is done and the thread rests: it calls neither function again before the next wake,
 * so that the work may be changed. */
void gg_progress_thread_wait(gg_progress_thread *thread);

#endif
