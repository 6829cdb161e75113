#include "mpi/world/patience.h"

#include "mpi/world/world.h"

#include <time.h>

void gg_barrier_patiently(MPI_Comm comm) {
    enum { LONGEST_NS = 1000000 };
    MPI_Request request;
    struct timespec pause = {.tv_nsec = 10000};
    int done;
    MPI_Ibarrier(comm, &request);
    for (MPI_Test(&request, &done, MPI_STATUS_IGNORE); !done; MPI_Test(&request, &done, MPI_STATUS_IGNORE)) {
        nanosleep(&pause, NULL);
        pause.tv_nsec = pause.tv_nsec < LONGEST_NS / 2 ? 2 * pause.tv_nsec : LONGEST_NS;
    }
}

gg_status gg_agree_patiently(MPI_Comm comm, gg_status status) {
    gg_barrier_patiently(comm);
    return gg_agree(comm, status);
}
