#include "jobs/launch/stop_agreement.h"

#include "jobs/launch/stop_signal.h"

gg_status gg_stop_fail_at_start(void) {
    return gg_fail(GG_STOPPED, "stopped on request before the first step of this start: nothing is lost, and "
                               "the same command begins where this one would have");
}

gg_status gg_stop_agree_at_start(MPI_Comm comm) {
    int stop = gg_stop_requested();
    MPI_Allreduce(MPI_IN_PLACE, &stop, 1, MPI_INT, MPI_MAX, comm);
    return stop != 0 ? gg_stop_fail_at_start() : GG_OK;
}
