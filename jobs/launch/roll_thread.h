/* A thread that keeps a roll call (mpi/world/roll_call.h) going: it answers the others' calls, and asks when
 * this rank's watchdog does. A thread of its own, for the watchdog has to end the job too where a call of MPI
 * does not return.
 *
 * One per process.
 */
#ifndef GG_JOBS_LAUNCH_ROLL_THREAD_H
#define GG_JOBS_LAUNCH_ROLL_THREAD_H

#include "mpi/world/world.h"

#include <stdbool.h>

/* Starts it; where there is one rank only, or MPI does not take threads, there is none, and the others do nothing.
 * Where it cannot be had, that is warned of, and this rank does not answer. Collective.
 *   host [in] this rank's */
void gg_roll_thread_start(const struct gg_world *world, const char *host);

/* Ends it. Collective; to be called before MPI ends. */
void gg_roll_thread_stop(void);

/* From now on it asks, or no longer: then what was heard is forgotten. Local. */
void gg_roll_thread_ask(bool asks);

/* Whether another rank asked since it was last looked. Local. */
bool gg_roll_thread_called(void);

struct gg_roll_answer {
    int missing;     /* ranks that were not heard from */
    char names[900]; /* which */
    bool speaks;     /* of those that have heard from each other this is the lowest: the one to tell it */
};
enum gg_roll_state {
    GG_ROLL_NONE,  /* there is no roll call */
    GG_ROLL_STUCK, /* MPI has not come back since it was to ask */
    GG_ROLL_ANSWER
};

/* What has come out since it asks. Local. */
enum gg_roll_state gg_roll_thread_answer(struct gg_roll_answer *answer);

#endif
