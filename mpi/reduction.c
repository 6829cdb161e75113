#include "mpi/reduction.h"

#include "core/base/memory.h"
#include "mpi/world.h"

#include <stdlib.h>

struct gg_reducer {
    MPI_Comm replicas;
    int replica, replica_count;
    bool scatter;
    float *gradients;
    struct gg_partition partition;
    int64_t bucket_count; /* 0: one replica, nothing to do */
    int64_t started;      /* buckets started in this step; bucket 0 is the last of the buffer */
    int running;          /* the first `running` requests are under way */
    MPI_Request *requests;
    int *indices; /* scratch of MPI_Testsome */
    int *counts;  /* scatter: elements of every bucket's parts, per replica */
    struct gg_owned_range *owned;
    int owned_count;
    float *owned_sums; /* scatter: the owned ranges' gradients, compact */
    struct gg_reducer_times times;
};

struct gg_ownership gg_reducer_ownership(int replica, int replicas, int64_t elements, size_t bucket_bytes,
                                         bool scatter) {
    if (!scatter || replicas == 1)
        return (struct gg_ownership){.elements = elements};
    const struct gg_partition partition = gg_partition_cut(elements, bucket_bytes, replicas);
    const int64_t owned = gg_partition_ranges(&partition, replica, NULL);
    return (struct gg_ownership){owned, (size_t)owned * sizeof(float)};
}

/* First element of a bucket. */
static int64_t begin_of(const gg_reducer *r, int64_t bucket) {
    int64_t count;
    return gg_partition_bucket(&r->partition, bucket, &count);
}

static int64_t count_of(const gg_reducer *r, int64_t bucket) {
    int64_t count;
    gg_partition_bucket(&r->partition, bucket, &count);
    return count;
}

static int *counts_of(const gg_reducer *r, int64_t bucket) {
    return r->counts + bucket * r->replica_count;
}

/* One range per bucket, each with its place in the compact buffers. */
static void own_parts(gg_reducer *r) {
    int64_t at = 0;
    r->owned_count = (int)r->bucket_count;
    for (int64_t bucket = 0; bucket < r->bucket_count; bucket++) {
        for (int d = 0; d < r->replica_count; d++) {
            const struct gg_range part = gg_partition_part(&r->partition, bucket, d);
            counts_of(r, bucket)[d] = gg_int(part.to - part.from);
        }
        const struct gg_range mine = gg_partition_part(&r->partition, bucket, r->replica);
        r->owned[bucket] = (struct gg_owned_range){mine.from, mine.to, at, r->owned_sums + at};
        at += mine.to - mine.from;
    }
}

gg_status gg_reducer_create(MPI_Comm replicas, float *gradients, int64_t elements, size_t bucket_bytes,
                            bool scatter, gg_reducer **reducer) {
    gg_reducer *r = gg_calloc(1, sizeof *r);
    *reducer = r;
    MPI_Comm_size(replicas, &r->replica_count);
    MPI_Comm_rank(replicas, &r->replica);
    r->replicas = replicas;
    r->gradients = gradients;
    r->partition = gg_partition_cut(elements, bucket_bytes, r->replica_count);
    r->bucket_count = r->replica_count > 1 ? r->partition.bucket_count : 0;
    r->scatter = scatter && r->replica_count > 1;
    const size_t slots = (size_t)r->bucket_count + 1;
    r->requests = gg_calloc(slots, sizeof *r->requests);
    r->indices = gg_calloc(slots, sizeof *r->indices);
    r->counts = gg_calloc(slots * (size_t)r->replica_count, sizeof *r->counts);
    r->owned = gg_calloc(slots, sizeof *r->owned);
    if (!r->scatter) {
        r->owned[0] = (struct gg_owned_range){0, elements, 0, gradients};
        r->owned_count = 1;
        return GG_OK;
    }
    const struct gg_ownership ownership =
        gg_reducer_ownership(r->replica, r->replica_count, elements, bucket_bytes, true);
    void *memory;
    GG_TRY(gg_try_malloc(ownership.gradient_bytes, "this replica's share of the gradients", &memory));
    r->owned_sums = memory;
    own_parts(r);
    return GG_OK;
}

void gg_reducer_destroy(gg_reducer **reducer) {
    if (*reducer == NULL)
        return;
    free((*reducer)->requests);
    free((*reducer)->indices);
    free((*reducer)->counts);
    free((*reducer)->owned);
    free((*reducer)->owned_sums);
    free(*reducer);
    *reducer = NULL;
}

void gg_reducer_begin(gg_reducer *reducer) {
    GG_ASSERT(reducer->running == 0);
    reducer->started = 0;
}

static void start_bucket(gg_reducer *r) {
    const int64_t bucket = r->started++;
    float *values = r->gradients + begin_of(r, bucket);
    MPI_Request *request = &r->requests[r->running++];
    if (r->scatter)
        MPI_Ireduce_scatter(values, r->owned[bucket].gradients, counts_of(r, bucket), MPI_FLOAT, MPI_SUM,
                            r->replicas, request);
    else
        MPI_Iallreduce(MPI_IN_PLACE, values, gg_int(count_of(r, bucket)), MPI_FLOAT, MPI_SUM, r->replicas,
                       request);
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
    while (reducer->started < reducer->bucket_count && begin_of(reducer, reducer->started) >= from)
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

const struct gg_owned_range *gg_reducer_owned(const gg_reducer *reducer, int *count) {
    *count = reducer->owned_count;
    return reducer->owned;
}

void gg_reducer_gather(gg_reducer *r, float *flat) {
    if (!r->scatter)
        return;
    const double begin = MPI_Wtime();
    gg_partition_gather(&r->partition, r->replicas, flat);
    r->times.visible += MPI_Wtime() - begin;
}

struct gg_reducer_times gg_reducer_times(const gg_reducer *reducer) {
    return reducer->times;
}
