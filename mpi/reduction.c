#include "mpi/reduction.h"

#include "core/base/memory.h"
#include "mpi/world.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct gg_reducer {
    MPI_Comm replicas;
    int replica, replica_count;
    bool scatter;
    float *gradients;
    int64_t elements, bucket_elements;
    int64_t bucket_count; /* 0: one replica, nothing to do */
    int64_t started;      /* buckets started in this step; bucket 0 is the last of the buffer */
    int running;          /* the first `running` requests are under way */
    MPI_Request *requests;
    int *indices; /* scratch of MPI_Testsome */
    int *counts,
        *starts; /* scratch of a bucket's parts, per replica; counts of all buckets when scattering */
    struct gg_owned_range *owned;
    int owned_count;
    float *owned_sums; /* scatter: the owned ranges' gradients, compact */
    struct gg_reducer_times times;
};

/* Where buckets begin, counted from the buffer's end. */
struct buckets {
    int64_t elements, size, count;
};

static struct buckets cut(int64_t elements, size_t bucket_bytes) {
    int64_t size = (int64_t)(bucket_bytes / sizeof(float));
    size = size < 1 ? 1 : size > INT_MAX ? INT_MAX : size;
    return (struct buckets){elements, size, (elements + size - 1) / size};
}

static int64_t bucket_begin(int64_t elements, int64_t size, int64_t bucket) {
    const int64_t begin = elements - (bucket + 1) * size;
    return begin > 0 ? begin : 0;
}

/* Elements of a bucket of `count` that replica d of D owns: equal parts, in whole cache lines. */
static int64_t part_count(int64_t count, int replica, int replicas, int64_t *start) {
    enum { LINE = 16 };
    const int64_t part = ((count + replicas - 1) / replicas + LINE - 1) / LINE * LINE;
    const int64_t begin = part * replica < count ? part * replica : count;
    const int64_t end = begin + part < count ? begin + part : count;
    *start = begin;
    return end - begin;
}

struct gg_ownership gg_reducer_ownership(int replica, int replicas, int64_t elements, size_t bucket_bytes,
                                         bool scatter) {
    if (!scatter || replicas == 1)
        return (struct gg_ownership){.elements = elements};
    const struct buckets b = cut(elements, bucket_bytes);
    struct gg_ownership ownership = {0};
    for (int64_t bucket = 0; bucket < b.count; bucket++) {
        int64_t start;
        const int64_t count = b.elements - bucket * b.size - bucket_begin(b.elements, b.size, bucket);
        ownership.elements += part_count(count, replica, replicas, &start);
    }
    ownership.gradient_bytes = (size_t)ownership.elements * sizeof(float);
    return ownership;
}

static int64_t begin_of(const gg_reducer *r, int64_t bucket) {
    return bucket_begin(r->elements, r->bucket_elements, bucket);
}

static int64_t count_of(const gg_reducer *r, int64_t bucket) {
    return r->elements - bucket * r->bucket_elements - begin_of(r, bucket);
}

static int *counts_of(const gg_reducer *r, int64_t bucket) {
    return r->counts + bucket * r->replica_count;
}

/* One range per bucket, each with its place in the compact buffers. */
static void own_parts(gg_reducer *r) {
    int64_t at = 0;
    r->owned_count = (int)r->bucket_count;
    for (int64_t bucket = 0; bucket < r->bucket_count; bucket++) {
        int64_t start;
        for (int d = 0; d < r->replica_count; d++)
            counts_of(r, bucket)[d] = gg_int(part_count(count_of(r, bucket), d, r->replica_count, &start));
        const int64_t count = part_count(count_of(r, bucket), r->replica, r->replica_count, &start);
        const int64_t from = begin_of(r, bucket) + start;
        r->owned[bucket] = (struct gg_owned_range){from, from + count, at, r->owned_sums + at};
        at += count;
    }
}

gg_status gg_reducer_create(MPI_Comm replicas, float *gradients, int64_t elements, size_t bucket_bytes,
                            bool scatter, gg_reducer **reducer) {
    gg_reducer *r = gg_calloc(1, sizeof *r);
    *reducer = r;
    MPI_Comm_size(replicas, &r->replica_count);
    MPI_Comm_rank(replicas, &r->replica);
    const struct buckets buckets = cut(elements, bucket_bytes);
    r->replicas = replicas;
    r->gradients = gradients;
    r->elements = elements;
    r->bucket_elements = buckets.size;
    r->bucket_count = r->replica_count > 1 ? buckets.count : 0;
    r->scatter = scatter && r->replica_count > 1;
    const size_t slots = (size_t)r->bucket_count + 1;
    r->requests = gg_calloc(slots, sizeof *r->requests);
    r->indices = gg_calloc(slots, sizeof *r->indices);
    r->counts = gg_calloc(slots * (size_t)r->replica_count, sizeof *r->counts);
    r->starts = gg_calloc((size_t)r->replica_count, sizeof *r->starts);
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
    free((*reducer)->starts);
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
    for (int64_t bucket = 0; bucket < r->bucket_count; bucket++) {
        const int *counts = counts_of(r, bucket);
        for (int d = 0, start = 0; d < r->replica_count; start += counts[d++])
            r->starts[d] = start;
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, flat + begin_of(r, bucket), counts, r->starts,
                       MPI_FLOAT, r->replicas);
    }
    r->times.visible += MPI_Wtime() - begin;
}

void gg_reducer_gather_compact(gg_reducer *r, const float *compact, float *flat) {
    for (int i = 0; i < r->owned_count; i++) {
        const struct gg_owned_range *range = &r->owned[i];
        memcpy(flat + range->from, compact + range->at, (size_t)(range->to - range->from) * sizeof *flat);
    }
    gg_reducer_gather(r, flat);
}

void gg_reducer_take_compact(const gg_reducer *r, const float *flat, float *compact) {
    for (int i = 0; i < r->owned_count; i++) {
        const struct gg_owned_range *range = &r->owned[i];
        memcpy(compact + range->at, flat + range->from, (size_t)(range->to - range->from) * sizeof *flat);
    }
}

struct gg_reducer_times gg_reducer_times(const gg_reducer *reducer) {
    return reducer->times;
}
