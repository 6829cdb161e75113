#include "mpi/reduce/reduction.h"

#include "core/base/memory.h"
#include "mpi/reduce/progress_thread.h"
#include "mpi/world/world.h"

#include <stdlib.h>

struct gg_reducer {
    MPI_Comm replicas;
    bool scatter;
    struct gg_partition partition;
    int64_t bucket_count; /* 0: one replica, nothing to do */
    int64_t whole;        /* buckets that are final in this step; bucket 0 is the last of the buffer */
    gg_bucket_sums *sums;
    gg_bucket_sums *gather;     /* scatter: of the weights; NULL until the first */
    float *errors;              /* (elements) with a bf16 wire */
    gg_progress_thread *thread; /* or NULL: the hook drives */
    struct gg_owned_range *owned;
    int owned_count;
    float *owned_sums; /* scatter: the owned ranges' gradients, compact */
    struct gg_reducer_times times;
};

/* First element of a bucket. */
static int64_t begin_of(const gg_reducer *r, int64_t bucket) {
    int64_t count;
    return gg_partition_bucket(&r->partition, bucket, &count);
}

/* One range per bucket, each with its place in the compact buffers. */
static gg_status own_parts(gg_reducer *r, int replica) {
    struct gg_range *ranges = gg_calloc((size_t)r->bucket_count + 1, sizeof *ranges);
    const int64_t elements = gg_partition_ranges(&r->partition, replica, ranges);
    void *memory;
    const gg_status status =
        gg_try_malloc((size_t)elements * sizeof(float), "this replica's share of the gradients", &memory);
    if (status == GG_OK) {
        gg_zero(memory, (size_t)elements * sizeof(float));
        r->owned_sums = memory;
        r->owned_count = (int)r->bucket_count;
        for (int i = 0; i < r->owned_count; i++)
            r->owned[i] = (struct gg_owned_range){ranges[i].from, ranges[i].to, ranges[i].at,
                                                  r->owned_sums + ranges[i].at};
    }
    free(ranges);
    return status;
}

static bool drive(void *context) {
    return gg_bucket_sums_drive(context);
}

static bool done(void *context) {
    return gg_bucket_sums_done(context);
}

/* What the wire's rounding leaves: nothing yet. */
static gg_status make_errors(gg_reducer *r) {
    const size_t bytes = (size_t)r->partition.elements * sizeof(float);
    void *memory;
    GG_TRY(gg_try_malloc(bytes, "what rounding leaves of the gradients", &memory));
    gg_zero(memory, bytes);
    r->errors = memory;
    return GG_OK;
}

gg_status gg_reducer_create(MPI_Comm replicas, float *gradients, const struct gg_reducer_options *options,
                            gg_reducer **reducer) {
    gg_reducer *r = gg_calloc(1, sizeof *r);
    int replica, count;
    *reducer = r;
    MPI_Comm_size(replicas, &count);
    MPI_Comm_rank(replicas, &replica);
    GG_ASSERT(count == options->partition.summation.replicas);
    r->replicas = replicas;
    r->partition = options->partition;
    r->bucket_count = count > 1 ? r->partition.bucket_count : 0;
    r->scatter = options->scatter && count > 1;
    r->owned = gg_calloc((size_t)r->bucket_count + 1, sizeof *r->owned);
    r->owned[0] = (struct gg_owned_range){0, r->partition.elements, 0, gradients};
    r->owned_count = 1;
    if (count == 1)
        return GG_OK;
    gg_status status = r->scatter ? own_parts(r, replica) : GG_OK;
    if (status == GG_OK && options->wire == GG_PRECISION_BF16)
        status = make_errors(r);
    GG_TRY(gg_agree(replicas, status));
    const struct gg_bucket_sums_options sums = {r->scatter ? GG_BUCKET_REDUCE_SCATTER : GG_BUCKET_ALLREDUCE,
                                                gradients, r->owned_sums, options->wire, r->errors};
    GG_TRY(gg_bucket_sums_create(replicas, &r->partition, &sums, &r->sums));
    const struct gg_progress_work work = {drive, done, r->sums};
    return options->thread ? gg_progress_thread_start(&work, options->thread_cores, &r->thread) : GG_OK;
}

void gg_reducer_destroy(gg_reducer **reducer) {
    gg_reducer *r = *reducer;
    if (r == NULL)
        return;
    gg_progress_thread_stop(&r->thread);
    gg_bucket_sums_destroy(&r->sums);
    gg_bucket_sums_destroy(&r->gather);
    free(r->owned);
    free(r->owned_sums);
    free(r->errors);
    free(r);
    *reducer = NULL;
}

void gg_reducer_begin(gg_reducer *reducer) {
    reducer->whole = 0;
    if (reducer->sums != NULL)
        gg_bucket_sums_reset(reducer->sums);
}

/* Drives on until the library has nothing more to do just now: a call may move but a piece of a message, and
 * what arrives may let something else start. Calls that find nothing take about a microsecond. */
static void drive_on(const gg_reducer *reducer) {
    enum { IDLE_CALLS = 16 };
    for (int idle = 0; idle < IDLE_CALLS && !gg_bucket_sums_done(reducer->sums);)
        idle = gg_bucket_sums_drive(reducer->sums) ? 0 : idle + 1;
}

static void make_progress(const gg_reducer *reducer) {
    if (reducer->thread == NULL)
        drive_on(reducer);
    else if (!gg_bucket_sums_done(reducer->sums))
        gg_progress_thread_wake(reducer->thread);
}

static void hook_ready(void *context, int64_t from) {
    gg_reducer *reducer = context;
    if (reducer->sums == NULL)
        return;
    const double begin = MPI_Wtime();
    while (reducer->whole < reducer->bucket_count && begin_of(reducer, reducer->whole) >= from)
        reducer->whole++;
    gg_bucket_sums_allow(reducer->sums, reducer->whole);
    make_progress(reducer);
    reducer->times.hook += MPI_Wtime() - begin;
}

struct gg_gradient_hook gg_reducer_hook(gg_reducer *reducer) {
    return (struct gg_gradient_hook){hook_ready, reducer};
}

void gg_reducer_finish(gg_reducer *reducer) {
    if (reducer->sums == NULL)
        return;
    const double begin = MPI_Wtime();
    reducer->whole = reducer->bucket_count;
    gg_bucket_sums_allow(reducer->sums, reducer->whole);
    make_progress(reducer);
    if (reducer->thread != NULL)
        gg_progress_thread_wait(reducer->thread);
    while (!gg_bucket_sums_done(reducer->sums))
        gg_bucket_sums_drive(reducer->sums);
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
    if (r->gather == NULL)
        r->gather = gg_bucket_gather_create(r->replicas, &r->partition, flat);
    gg_bucket_sums_run(r->gather);
    r->times.visible += MPI_Wtime() - begin;
}

void gg_reducer_forget_errors(gg_reducer *reducer) {
    if (reducer->errors != NULL)
        gg_zero(reducer->errors, (size_t)reducer->partition.elements * sizeof(float));
}

struct gg_bucket_traffic gg_reducer_traffic(const gg_reducer *reducer) {
    struct gg_bucket_traffic traffic = {0};
    const gg_bucket_sums *const all[] = {reducer->sums, reducer->gather};
    for (int i = 0; i < 2; i++)
        if (all[i] != NULL) {
            traffic.messages += gg_bucket_sums_traffic(all[i]).messages;
            traffic.bytes += gg_bucket_sums_traffic(all[i]).bytes;
        }
    return traffic;
}

struct gg_reducer_times gg_reducer_times(const gg_reducer *reducer) {
    return reducer->times;
}
