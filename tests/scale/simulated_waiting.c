#include "tests/scale/simulated_waiting.h"

#include "core/base/memory.h"

#include <mpi.h>
#include <smpi/smpi_helpers_internal.h>
#include <stdlib.h>

enum {
    LISTS = 8
}; /* of requests that are asked about in turns, at most; one more is no error, but never waited for */

enum way { NEVER, UNTIL, FOREVER };

struct waiter {
    enum way way;
    double moment;
    MPI_Request timer[2]; /* a message to itself, sent and received */
    bool waited;
    struct {
        MPI_Request *requests;
        int count;
    } lists[LISTS]; /* asked about, and not complete, since something came last */
    int list_count;
    struct simulated_traffic traffic;
};

static struct waiter *waiters;
static const struct simulation *machine;

void simulated_waiting_start(const struct simulation *simulation) {
    const int64_t ranks = simulation->nodes * simulation->ranks_per_node;
    waiters = gg_calloc((size_t)ranks, sizeof *waiters);
    for (int64_t i = 0; i < ranks; i++)
        waiters[i].timer[0] = waiters[i].timer[1] = MPI_REQUEST_NULL;
    machine = simulation;
}

void simulated_waiting_stop(void) {
    free(waiters);
    waiters = NULL;
}

static int my_rank(void) {
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

void simulated_sleep(double seconds) {
    if (seconds <= 0)
        return;
    const time_t whole = (time_t)seconds;
    const struct timespec time = {whole, (long)((seconds - (double)whole) * 1e9 + 0.5)};
    smpi_nanosleep(&time, NULL);
}

int __real_MPI_Isend(const void *values, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                     MPI_Request *request);
int __wrap_MPI_Isend(const void *values, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                     MPI_Request *request);
int __wrap_MPI_Testall(int count, MPI_Request *requests, int *complete, MPI_Status *statuses);

/* Sets the timer off, if time enough is left for one: a message of a rank to itself takes as long as it is large,
 * and can be waited for together with others. */
static void start_timer(struct waiter *w) {
    enum { LEAST = 1 << 18, MOST = 1 << 28 }; /* floats: sent when it is received; 1 GiB */
    static float *nothing;
    const double seconds =
        w->moment - MPI_Wtime() - 1e-6 * (machine->message_microseconds + machine->node_microseconds);
    const double floats = 1e9 * machine->node_gigabytes * seconds / sizeof(float);
    if (w->timer[0] != MPI_REQUEST_NULL || floats < LEAST)
        return;
    if (nothing == NULL)
        nothing = SMPI_SHARED_MALLOC(MOST * sizeof *nothing);
    const int count = floats < MOST ? (int)floats : MOST;
    MPI_Irecv(nothing, count, MPI_FLOAT, 0, 0, MPI_COMM_SELF, &w->timer[0]);
    __real_MPI_Isend(nothing, count, MPI_FLOAT, 0, 0, MPI_COMM_SELF, &w->timer[1]);
}

static void end_timer(struct waiter *w) {
    MPI_Waitall(2, w->timer, MPI_STATUSES_IGNORE);
}

static void wait_in_the_way(enum way way, double moment) {
    struct waiter *w = &waiters[my_rank()];
    w->way = way;
    w->moment = moment;
    w->list_count = 0;
    w->waited = false;
}

void simulated_waiting_never(void) {
    wait_in_the_way(NEVER, 0);
}

void simulated_waiting_until(double moment) {
    wait_in_the_way(UNTIL, moment);
}

void simulated_waiting_forever(void) {
    end_timer(&waiters[my_rank()]); /* it was set for a moment that is past */
    wait_in_the_way(FOREVER, 0);
}

static bool is_over(const struct waiter *w) {
    return w->way == UNTIL && w->moment - MPI_Wtime() < 1e-9;
}

bool simulated_waiting_is_over(void) {
    return is_over(&waiters[my_rank()]);
}

void simulated_waiting_rest(void) {
    struct waiter *w = &waiters[my_rank()];
    if (!w->waited) {
        end_timer(w);
        simulated_sleep(w->moment - MPI_Wtime());
    }
    w->waited = false;
}

/* The first request that is not complete; those before it are done with. */
static int first_open(MPI_Request *requests, int count) {
    for (int i = 0; i < count; i++) {
        int complete = 1;
        if (requests[i] != MPI_REQUEST_NULL)
            MPI_Test(&requests[i], &complete, MPI_STATUS_IGNORE);
        if (!complete)
            return i;
    }
    return count;
}

/* Waits until the first open request of some list is complete: no list can be complete before, and most need not be
 * looked at. */
static void wait(struct waiter *w) {
    MPI_Request open[LISTS + 2], *from[LISTS + 2];
    int count = 0, which;
    for (int i = 0; i < w->list_count; i++) {
        const int first = first_open(w->lists[i].requests, w->lists[i].count);
        if (first == w->lists[i].count)
            return; /* while others were asked about */
        from[count++] = &w->lists[i].requests[first];
    }
    if (w->way == UNTIL)
        start_timer(w);
    if (w->way == UNTIL && w->timer[0] == MPI_REQUEST_NULL) {
        simulated_sleep(w->moment - MPI_Wtime());
        return;
    }
    if (w->timer[0] != MPI_REQUEST_NULL)
        from[count++] = &w->timer[0];
    for (int i = 0; i < count; i++)
        open[i] = *from[i];
    MPI_Waitany(count, open, &which, MPI_STATUS_IGNORE);
    *from[which] = open[which];
    if (from[which] == &w->timer[0])
        end_timer(w);
}

static bool is_listed(const struct waiter *w, const MPI_Request *requests) {
    for (int i = 0; i < w->list_count; i++)
        if (w->lists[i].requests == requests)
            return true;
    return false;
}

int __wrap_MPI_Testall(int count, MPI_Request *requests, int *complete, MPI_Status *statuses) {
    struct waiter *w = &waiters[my_rank()];
    GG_ASSERT(statuses == MPI_STATUSES_IGNORE);
    *complete = 0;
    if (is_listed(w, requests)) {
        if (w->way == NEVER || is_over(w))
            return MPI_SUCCESS; /* nothing comes while no time goes by */
        wait(w);
        w->waited = true;
        w->list_count = 0;
    }
    *complete = first_open(requests, count) == count;
    if (*complete) {
        w->list_count = 0;
    } else if (w->list_count < LISTS) {
        w->lists[w->list_count].requests = requests;
        w->lists[w->list_count++].count = count;
    }
    return MPI_SUCCESS;
}

int __wrap_MPI_Isend(const void *values, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                     MPI_Request *request) {
    const int rank = my_rank();
    struct simulated_traffic *traffic = &waiters[rank].traffic;
    int size;
    MPI_Type_size(type, &size);
    const int64_t bytes = (int64_t)count * size;
    traffic->messages++;
    traffic->bytes += bytes;
    traffic->bytes_off_node += to / machine->ranks_per_node != rank / machine->ranks_per_node ? bytes : 0;
    return __real_MPI_Isend(values, count, type, to, tag, comm, request);
}

struct simulated_traffic simulated_traffic(void) {
    return waiters[my_rank()].traffic;
}

void simulated_traffic_reset(void) {
    waiters[my_rank()].traffic = (struct simulated_traffic){0};
}
