/* Ranks agree on having been asked to stop: a signal may come to one of them alone, or to some a little
 * later.
 */
#ifndef GG_JOBS_LAUNCH_STOP_AGREEMENT_H
#define GG_JOBS_LAUNCH_STOP_AGREEMENT_H

#include "core/base/status.h"

#include <mpi.h>

/* GG_STOPPED, when the start of a run is asked to stop: no step is done, nothing is to be saved. Local. */
gg_status gg_stop_fail_at_start(void) GG_MUST_USE;

/* That, on every rank alike, when a signal came to any of them; for the places between the parts of a start.
 * Collective over `comm`. */
gg_status gg_stop_agree_at_start(MPI_Comm comm) GG_MUST_USE;

#endif
