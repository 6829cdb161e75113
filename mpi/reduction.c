#include "mpi/reduction.h"

#include "core/base/memory.h"
#include "mpi/world.h"

#include <limits.h>
#include <stdlib.h>

struct gg_reducer {
    MPI_Comm replicas;
    float *gradients;
    int64_t elements, bucket_elements;
    int64_t bucket_count; /* 0: one replica, nothing to do */
    int64_t started;      /* buckets started in this step; bucket 0 is the last of the buffer */
    int running;          /* the first `running` requests are under way */
    MPI_Request *requests;
    int *indices; /* scratch of MPI_Testsome */
    struct gg_reducer_times times;
};

gg_reducer *gg_reducer_create(MPI_Comm replicas, float *gradients, int64_t elements, size_t bucket_bytes) {
    int size;
    MPI_Comm_size(replicas, &size);
    gg_reducer *reducer = gg_calloc(1, sizeof *reducer);
    reducer->replicas = replicas;
    reducer->gradients = gradients;
    reducer->elements = elements;
    reducer->bucket_elements = (int64_t)(bucket_bytes / sizeof(float));
    if (reducer->bucket_elements < 1)
        reducer->bucket_elements = 1;
    if (reducer->bucket_elements > INT_MAX)
        reducer->bucket_elements = INT_MAX;
    if (size > 1)
        reducer->bucket_count = (elements + reducer->bucket_elements - 1) / reducer->bucket_elements;
    reducer->requests = gg_calloc((size_t)reducer->bucket_count + 1, sizeof *reducer->requests);
    reducer->indices = gg_calloc((size_t)reducer->bucket_count + 1, sizeof *reducer->indices);
    return reducer;
}

void gg_reducer_destroy(gg_reducer **reducer) {
    if (*reducer == NULL)
        return;
    free((*reducer)->requests);
    free((*reducer)->indices);
    free(*reducer);
    *reducer = NULL;
}

void gg_reducer_begin(gg_reducer *reducer) {
    GG_ASSERT(reducer->running == 0);
    reducer->started = 0;
}

/* First element of a bucket; buckets are counted from the buffer's end. */
static int64_t bucket_begin(const gg_reducer *reducer, int64_t bucket) {
    const int64_t begin = reducer->elements - (bucket + 1) * reducer->bucket_elements;
    return begin > 0 ? begin : 0;
}

static void start_bucket(gg_reducer *reducer) {
    const int64_t begin = bucket_begin(reducer, reducer->started);
    const int64_t end = reducer->elements - reducer->started * reducer->bucket_elements;
    MPI_Iallreduce(MPI_IN_PLACE, reducer->gradients + begin, gg_int(end - begin), MPI_FLOAT, MPI_SUM,
                   reducer->replicas, &reducer->requests[reducer->running++]);
    reducer->started++;
}

/* Lets the library work on what is under way, and closes the gaps that finished requests leave. */
static void drive(gg_reducer *reducer) {
    int finished;
    MPI_Testsome(reducer->running, reducer->requests, &finished, reducer->indices, MPI_STATUSES_IGNORE);
    if (finished == MPI_UNDEFINED || finished == 0)
        return;
    int kept = 0;
    for (int i = 0; i < reducer->running; i++)
        if (reducer->requests[i] != MPI_REQUEST_NULL)
            reducer->requests[kept++] = reducer->requests[i];
    reducer->running = kept;
}

void gg_reducer_ready(gg_reducer *reducer, int64_t from) {
    if (reducer->bucket_count == 0)
        return;
    const double begin = MPI_Wtime();
    while (reducer->started < reducer->bucket_count && bucket_begin(reducer, reducer->started) >= from)
        start_bucket(reducer);
    if (reducer->running > 0)
        drive(reducer);
    reducer->times.hook += MPI_Wtime() - begin;
}

static void hook_ready(void *context, int64_t from) {
    gg_reducer_ready(context, from);
}

struct gg_gradient_hook gg_reducer_hook(gg_reducer *reducer) {
    return (struct gg_gradient_hook){hook_ready, reducer};
}

void gg_reducer_finish(gg_reducer *reducer) {
    const double begin = MPI_Wtime();
    while (reducer->started < reducer->bucket_count)
        start_bucket(reducer);
    MPI_Waitall(reducer->running, reducer->requests, MPI_STATUSES_IGNORE);
    reducer->running = 0;
    reducer->times.visible += MPI_Wtime() - begin;
}

struct gg_reducer_times gg_reducer_times(const gg_reducer *reducer) {
    return reducer->times;
}
