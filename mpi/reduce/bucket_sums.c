#include "mpi/reduce/bucket_sums.h"

#include "core/base/memory.h"
#include "core/plan/plan_memory.h"
#include "mpi/world/world.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = GG_BUCKETS_IN_FLIGHT };

enum stage { FREE, SCATTERING, GATHERING };

struct slot {
    enum stage stage;
    int64_t bucket;
    float *received;       /* the others' shares of this replica's part, `room` elements each */
    MPI_Request *requests; /* (2 D) of the stage */
    int request_count;
};

struct gg_bucket_sums {
    MPI_Comm comm;
    const struct gg_partition *partition;
    int replica;
    float *values;
    float *owned;            /* or NULL */
    struct gg_range *ranges; /* (bucket_count) this replica's parts */
    int64_t room;            /* elements of its largest part, rounded up to whole cache lines */
    float *received;
    struct slot slots[SLOTS];
    const float **shares; /* (D) of a part, in the order of the replicas */
    int64_t opened;
    _Atomic int64_t allowed, done; /* told from thread to thread */
};

static int slot_count(const struct gg_partition *partition) {
    return partition->bucket_count < SLOTS ? (int)partition->bucket_count : SLOTS;
}

gg_status gg_bucket_sums_create(MPI_Comm replicas, const struct gg_partition *partition, float *values,
                                float *owned, gg_bucket_sums **sums) {
    gg_bucket_sums *s = gg_calloc(1, sizeof *s);
    *sums = s;
    MPI_Comm_dup(replicas, &s->comm);
    MPI_Comm_rank(s->comm, &s->replica);
    s->partition = partition;
    s->values = values;
    s->owned = owned;
    s->room = gg_partition_largest_part(partition);
    s->ranges = gg_calloc((size_t)partition->bucket_count + 1, sizeof *s->ranges);
    gg_partition_ranges(partition, s->replica, s->ranges);
    s->shares = gg_calloc((size_t)partition->replicas, sizeof *s->shares);
    for (int i = 0; i < SLOTS; i++)
        s->slots[i].requests = gg_calloc(2 * (size_t)partition->replicas, sizeof(MPI_Request));
    void *memory;
    GG_TRY(gg_try_malloc(gg_buckets_in_flight_bytes(partition), "gradients on their way", &memory));
    s->received = memory;
    for (int i = 0; i < slot_count(partition); i++)
        s->slots[i].received = s->received + i * (partition->replicas - 1) * s->room;
    return GG_OK;
}

void gg_bucket_sums_destroy(gg_bucket_sums **sums) {
    gg_bucket_sums *s = *sums;
    if (s == NULL)
        return;
    GG_ASSERT(gg_bucket_sums_done(s));
    for (int i = 0; i < SLOTS; i++)
        free(s->slots[i].requests);
    MPI_Comm_free(&s->comm);
    free(s->ranges);
    free(s->shares);
    free(s->received);
    free(s);
    *sums = NULL;
}

void gg_bucket_sums_reset(gg_bucket_sums *sums) {
    GG_ASSERT(gg_bucket_sums_done(sums));
    sums->opened = 0;
    sums->done = 0;
    sums->allowed = 0;
}

void gg_bucket_sums_allow(gg_bucket_sums *sums, int64_t count) {
    atomic_store_explicit(&sums->allowed, count, memory_order_release);
}

bool gg_bucket_sums_done(const gg_bucket_sums *sums) {
    return atomic_load_explicit(&sums->done, memory_order_acquire) ==
           atomic_load_explicit(&sums->allowed, memory_order_acquire);
}

/* A tag for a bucket and stage; few enough are under way to tell them apart. */
static int tag_of(const struct slot *slot) {
    return (int)(slot->bucket % 8192) * 2 + (slot->stage == GATHERING);
}

static void receive(gg_bucket_sums *s, struct slot *slot, float *values, int64_t count, int from) {
    if (count > 0)
        MPI_Irecv(values, gg_int(count), MPI_FLOAT, from, tag_of(slot), s->comm,
                  &slot->requests[slot->request_count++]);
}

static void send(gg_bucket_sums *s, struct slot *slot, const float *values, int64_t count, int to) {
    if (count > 0)
        MPI_Isend(values, gg_int(count), MPI_FLOAT, to, tag_of(slot), s->comm,
                  &slot->requests[slot->request_count++]);
}

/* The k-th of the others, each replica beginning with its right neighbour. */
static int other(const gg_bucket_sums *s, int k) {
    return (s->replica + k) % s->partition->replicas;
}

/* Where the share of replica d of this replica's part arrives. */
static float *place_of(const gg_bucket_sums *s, const struct slot *slot, int d) {
    return slot->received + (d < s->replica ? d : d - 1) * s->room;
}

/* Everyone's share to its owner. */
static void scatter(gg_bucket_sums *s, struct slot *slot, int64_t bucket) {
    const int replicas = s->partition->replicas;
    const struct gg_range mine = s->ranges[bucket];
    *slot = (struct slot){SCATTERING, bucket, slot->received, slot->requests, 0};
    for (int k = 1; k < replicas; k++)
        receive(s, slot, place_of(s, slot, other(s, k)), mine.to - mine.from, other(s, k));
    for (int k = 1; k < replicas; k++) {
        const struct gg_range part = gg_partition_part(s->partition, bucket, other(s, k));
        send(s, slot, s->values + part.from, part.to - part.from, other(s, k));
    }
}

/* sum[i] = shares[0][i] + shares[1][i] + ..., in this order; sum may be one of the shares. */
static void add_up(const float *const *shares, int count, float *sum, int64_t elements) {
    enum { BLOCK = 1024 };
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < elements; begin += BLOCK) {
        const int64_t length = elements - begin < BLOCK ? elements - begin : BLOCK;
        float total[BLOCK];
        memcpy(total, shares[0] + begin, (size_t)length * sizeof *total);
        for (int d = 1; d < count; d++) {
            const float *share = shares[d] + begin;
#pragma omp simd
            for (int64_t i = 0; i < length; i++)
                total[i] += share[i];
        }
        memcpy(sum + begin, total, (size_t)length * sizeof *total);
    }
}

static void add_up_part(gg_bucket_sums *s, const struct slot *slot) {
    const struct gg_range mine = s->ranges[slot->bucket];
    for (int d = 0; d < s->partition->replicas; d++)
        s->shares[d] = d == s->replica ? s->values + mine.from : place_of(s, slot, d);
    add_up(s->shares, s->partition->replicas, s->owned != NULL ? s->owned + mine.at : s->values + mine.from,
           mine.to - mine.from);
}

/* Everyone's sums to all. Nobody reads the parts that arrive here any more: they were sent before. */
static void gather(gg_bucket_sums *s, struct slot *slot) {
    const int replicas = s->partition->replicas;
    const struct gg_range mine = s->ranges[slot->bucket];
    slot->stage = GATHERING;
    slot->request_count = 0;
    for (int k = 1; k < replicas; k++) {
        const struct gg_range part = gg_partition_part(s->partition, slot->bucket, other(s, k));
        receive(s, slot, s->values + part.from, part.to - part.from, other(s, k));
    }
    for (int k = 1; k < replicas; k++)
        send(s, slot, s->values + mine.from, mine.to - mine.from, other(s, k));
}

/* All messages of the slot's stage have come and gone: what follows. */
static void advance(gg_bucket_sums *s, struct slot *slot) {
    if (slot->stage == SCATTERING) {
        add_up_part(s, slot);
        if (s->owned == NULL) {
            gather(s, slot);
            return;
        }
    }
    slot->stage = FREE;
    atomic_fetch_add_explicit(&s->done, 1, memory_order_release);
}

bool gg_bucket_sums_drive(gg_bucket_sums *s) {
    bool moved = false;
    for (int i = 0; i < slot_count(s->partition); i++) {
        struct slot *slot = &s->slots[i];
        if (slot->stage == FREE && s->opened < atomic_load_explicit(&s->allowed, memory_order_acquire)) {
            scatter(s, slot, s->opened++);
            moved = true;
        }
        if (slot->stage == FREE)
            continue;
        int complete;
        MPI_Testall(slot->request_count, slot->requests, &complete, MPI_STATUSES_IGNORE);
        if (complete) {
            advance(s, slot);
            moved = true;
        }
    }
    return moved;
}
