#include "mpi/reduce/bucket_sums.h"

#include "core/base/memory.h"
#include "core/kernels/error_feedback.h"
#include "core/kernels/tree_sum.h"
#include "core/plan/plan_memory.h"
#include "mpi/world/world.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SLOTS = GG_BUCKETS_IN_FLIGHT };

enum stage { FREE, SCATTERING, GATHERING };

struct slot {
    enum stage stage;
    int64_t bucket;
    int round;             /* of the stage */
    void *room;            /* for what the others send, and in bf16 for what is sent to them */
    MPI_Request *requests; /* of the round */
    int request_count;
};

struct gg_bucket_sums {
    MPI_Comm comm;
    const struct gg_partition *partition;
    struct gg_bucket_sums_options options;
    int replica, last_round;
    struct gg_round rounds[GG_MOST_ROUNDS];
    int64_t most[GG_MOST_ROUNDS]; /* elements of a member's part in a round, in whole cache lines */
    struct gg_range *ranges;      /* (bucket_count) this replica's parts */
    void *room;
    struct slot slots[SLOTS];
    struct gg_share *shares; /* (largest radix) of a part, in the order of the members */
    int64_t opened;
    struct gg_bucket_traffic traffic;
    _Atomic int64_t allowed, done; /* told from thread to thread */
};

static int slot_count(const struct gg_partition *partition) {
    return partition->bucket_count < SLOTS ? (int)partition->bucket_count : SLOTS;
}

static gg_status make_slots(gg_bucket_sums *s, int largest_radix) {
    const int slots = slot_count(s->partition);
    const bool rooms = s->options.work != GG_BUCKET_ALLGATHER || s->options.wire == GG_PRECISION_BF16;
    const size_t bytes = rooms ? gg_buckets_in_flight_bytes(s->partition) : 0;
    s->shares = gg_calloc((size_t)largest_radix, sizeof *s->shares);
    for (int i = 0; i < slots; i++)
        s->slots[i].requests = gg_calloc(2 * (size_t)largest_radix, sizeof(MPI_Request));
    GG_TRY(gg_try_malloc(bytes, "gradients on their way", &s->room));
    for (int i = 0; i < slots; i++)
        s->slots[i].room = (char *)s->room + (size_t)i * (bytes / (size_t)slots);
    return GG_OK;
}

gg_status gg_bucket_sums_create(MPI_Comm replicas, const struct gg_partition *partition,
                                const struct gg_bucket_sums_options *options, gg_bucket_sums **sums) {
    gg_bucket_sums *s = gg_calloc(1, sizeof *s);
    const struct gg_summation *summation = &partition->summation;
    int largest = 1;
    *sums = s;
    MPI_Comm_dup(replicas, &s->comm);
    MPI_Comm_rank(s->comm, &s->replica);
    s->partition = partition;
    s->options = *options;
    s->last_round = summation->rounds - 1;
    for (int i = 0; i < summation->rounds; i++) {
        s->rounds[i] = gg_summation_round(summation, s->replica, i);
        s->most[i] = gg_partition_most(partition, s->rounds[i].width);
        largest = s->rounds[i].radix > largest ? s->rounds[i].radix : largest;
    }
    s->ranges = gg_calloc((size_t)partition->bucket_count + 1, sizeof *s->ranges);
    gg_partition_ranges(partition, s->replica, s->ranges);
    return make_slots(s, largest);
}

gg_bucket_sums *gg_bucket_gather_create(MPI_Comm replicas, const struct gg_partition *partition,
                                        float *values) {
    const struct gg_bucket_sums_options options = {.work = GG_BUCKET_ALLGATHER, .values = values};
    gg_bucket_sums *gather;
    const gg_status status = gg_bucket_sums_create(replicas, partition, &options, &gather);
    GG_ASSERT(status == GG_OK);
    return gather;
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
    free(s->room);
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

struct gg_bucket_traffic gg_bucket_sums_traffic(const gg_bucket_sums *sums) {
    return sums->traffic;
}

static bool rounded(const gg_bucket_sums *s) {
    return s->options.wire == GG_PRECISION_BF16;
}

/* A tag for a bucket and stage; few enough are under way to tell them apart, and no two rounds of a stage are
 * between the same two replicas. */
static int tag_of(const struct slot *slot) {
    return (int)(slot->bucket % 8192) * 2 + (slot->stage == GATHERING);
}

static void receive(gg_bucket_sums *s, struct slot *slot, void *values, int64_t count, int from) {
    if (count > 0)
        MPI_Irecv(values, gg_int(count), rounded(s) ? MPI_UINT16_T : MPI_FLOAT, from, tag_of(slot), s->comm,
                  &slot->requests[slot->request_count++]);
}

static void send(gg_bucket_sums *s, struct slot *slot, const void *values, int64_t count, int to) {
    if (count == 0)
        return;
    MPI_Isend(values, gg_int(count), rounded(s) ? MPI_UINT16_T : MPI_FLOAT, to, tag_of(slot), s->comm,
              &slot->requests[slot->request_count++]);
    s->traffic.messages++;
    s->traffic.bytes += count * (int64_t)gg_stored_bytes(s->options.wire);
}

/* The k-th of the others of the group, each beginning with its neighbour. */
static int other(const struct gg_round *round, int k) {
    return (round->member + k) % round->radix;
}

/* A member's part of what the group holds in a round. */
static struct gg_range part_of(const gg_bucket_sums *s, const struct slot *slot, int member) {
    const struct gg_round *round = &s->rounds[slot->round];
    return gg_partition_positions(s->partition, slot->bucket, round->first + member * round->width,
                                  round->width);
}

/* Place number `index` of the slot's room, each for a member's part. */
static void *place(const gg_bucket_sums *s, const struct slot *slot, int index) {
    return gg_at(s->options.wire, slot->room, index * s->most[slot->round]);
}

/* Where a member's share of this replica's part arrives: in the first radix - 1 places. */
static void *share_place(const gg_bucket_sums *s, const struct slot *slot, int member) {
    return place(s, slot, member < s->rounds[slot->round].member ? member : member - 1);
}

static void enter(struct slot *slot, enum stage stage, int round) {
    slot->stage = stage;
    slot->round = round;
    slot->request_count = 0;
}

/* To each other member its part of what this replica holds. */
static void scatter(gg_bucket_sums *s, struct slot *slot, int number) {
    enter(slot, SCATTERING, number);
    const struct gg_round *round = &s->rounds[number];
    const struct gg_range mine = part_of(s, slot, round->member);
    for (int k = 1; k < round->radix; k++) {
        const int member = other(round, k);
        receive(s, slot, share_place(s, slot, member), mine.to - mine.from,
                gg_round_replica(round, s->replica, member));
    }
    for (int k = 1; k < round->radix; k++) {
        const int member = other(round, k);
        const struct gg_range part = part_of(s, slot, member);
        const void *values = s->options.values + part.from;
        if (rounded(s)) {
            gg_bf16 *sent = place(s, slot, round->radix - 2 + k);
            gg_round_with_errors(values, s->options.errors + part.from, part.to - part.from, sent);
            values = sent;
        }
        send(s, slot, values, part.to - part.from, gg_round_replica(round, s->replica, member));
    }
}

/* All shares of this replica's part have come: the sum, and where it is the last the sum's rounding. */
static void add_up(gg_bucket_sums *s, const struct slot *slot) {
    const struct gg_round *round = &s->rounds[slot->round];
    const struct gg_range mine = part_of(s, slot, round->member);
    const bool last = slot->round == s->last_round;
    float *sum = last && s->options.owned != NULL ? s->options.owned + s->ranges[slot->bucket].at
                                                  : s->options.values + mine.from;
    for (int member = 0; member < round->radix; member++)
        s->shares[member] = member == round->member
                                ? (struct gg_share){s->options.values + mine.from, GG_PRECISION_FP32}
                                : (struct gg_share){share_place(s, slot, member), s->options.wire};
    gg_tree_sum(s->shares, round->radix, sum, mine.to - mine.from);
    if (last && rounded(s))
        gg_settle_with_errors(sum, s->options.errors + mine.from, mine.to - mine.from);
}

/* This replica's part to all members of the group. Nobody reads the parts that arrive here any more: they were
 * sent before. */
static void gather(gg_bucket_sums *s, struct slot *slot, int number) {
    enter(slot, GATHERING, number);
    const struct gg_round *round = &s->rounds[number];
    const struct gg_range mine = part_of(s, slot, round->member);
    const void *values = s->options.values + mine.from;
    for (int k = 1; k < round->radix; k++) {
        const int member = other(round, k);
        const struct gg_range part = part_of(s, slot, member);
        receive(s, slot, rounded(s) ? share_place(s, slot, member) : s->options.values + part.from,
                part.to - part.from, gg_round_replica(round, s->replica, member));
    }
    if (rounded(s)) { /* exact: these are rounded sums */
        gg_bf16 *sent = place(s, slot, round->radix - 1);
        gg_bf16_from_floats(values, sent, mine.to - mine.from);
        values = sent;
    }
    for (int k = 1; k < round->radix; k++)
        send(s, slot, values, mine.to - mine.from, gg_round_replica(round, s->replica, other(round, k)));
}

/* What came in bf16. */
static void widen_gathered(const gg_bucket_sums *s, const struct slot *slot) {
    const struct gg_round *round = &s->rounds[slot->round];
    for (int k = 1; k < round->radix; k++) {
        const struct gg_range part = part_of(s, slot, other(round, k));
        gg_floats_from_bf16(share_place(s, slot, other(round, k)), s->options.values + part.from,
                            part.to - part.from);
    }
}

static void open(gg_bucket_sums *s, struct slot *slot, int64_t bucket) {
    slot->bucket = bucket;
    if (s->options.work == GG_BUCKET_ALLGATHER)
        gather(s, slot, s->last_round);
    else
        scatter(s, slot, 0);
}

/* All messages of the slot's round have come and gone: what follows. */
static void advance(gg_bucket_sums *s, struct slot *slot) {
    if (slot->stage == SCATTERING) {
        add_up(s, slot);
        if (slot->round < s->last_round) {
            scatter(s, slot, slot->round + 1);
            return;
        }
        if (s->options.work == GG_BUCKET_ALLREDUCE) {
            gather(s, slot, s->last_round);
            return;
        }
    } else {
        if (rounded(s))
            widen_gathered(s, slot);
        if (slot->round > 0) {
            gather(s, slot, slot->round - 1);
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
            open(s, slot, s->opened++);
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

void gg_bucket_sums_run(gg_bucket_sums *sums) {
    gg_bucket_sums_reset(sums);
    gg_bucket_sums_allow(sums, sums->partition->bucket_count);
    while (!gg_bucket_sums_done(sums))
        gg_bucket_sums_drive(sums);
}
