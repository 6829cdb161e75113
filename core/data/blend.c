#include "core/data/blend.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE ((uint64_t)1 << 40) /* the share of all corpora together */
enum { SHORTEST_BLOCK = 256 };

struct gg_blend {
    int count;
    uint64_t block;                    /* samples of a block */
    uint64_t share[GG_BLEND_CORPORA];  /* of WHOLE; together that */
    uint64_t number;                   /* of the block that is in the table; UINT64_MAX: none */
    uint64_t begin[GG_BLEND_CORPORA];  /* samples of each corpus before the block */
    uint64_t behind[GG_BLEND_CORPORA]; /* and before the next */
    uint32_t *place;                   /* (block) which of the corpus' samples in the block */
    uint8_t *corpus;                   /* (block) */
};

bool gg_blend_takes(double weight, double sum) {
    return weight > 0 && isfinite(sum) && weight * (double)GG_BLEND_BLOCK >= sum;
}

gg_blend *gg_blend_create(const double *weights, int count) {
    GG_ASSERT(count > 0 && count <= GG_BLEND_CORPORA);
    gg_blend *b = gg_calloc(1, sizeof *b);
    double sum = 0;
    for (int c = 0; c < count; c++)
        sum += weights[c];
    uint64_t given = 0, least = WHOLE;
    int largest = 0;
    for (int c = 0; c < count; c++) {
        GG_ASSERT(gg_blend_takes(weights[c], sum));
        const uint64_t lowest = WHOLE / GG_BLEND_BLOCK;
        b->share[c] = (uint64_t)(weights[c] / sum * (double)WHOLE + 0.5);
        b->share[c] = b->share[c] < lowest ? lowest : b->share[c];
        given += b->share[c];
        largest = b->share[c] > b->share[largest] ? c : largest;
    }
    b->share[largest] += WHOLE - given; /* may wrap, and wraps back */
    for (int c = 0; c < count; c++)
        least = b->share[c] < least ? b->share[c] : least;
    b->count = count;
    b->block = (WHOLE + least - 1) / least;
    b->block = b->block < SHORTEST_BLOCK ? SHORTEST_BLOCK : b->block;
    b->number = UINT64_MAX;
    b->place = gg_malloc(b->block * sizeof *b->place);
    b->corpus = gg_malloc(b->block * sizeof *b->corpus);
    return b;
}

void gg_blend_destroy(gg_blend **blend) {
    if (*blend == NULL)
        return;
    free((*blend)->place);
    free((*blend)->corpus);
    free(*blend);
    *blend = NULL;
}

int gg_blend_corpora(const gg_blend *blend) {
    return blend->count;
}

size_t gg_blend_most_bytes(void) {
    return sizeof(gg_blend) + GG_BLEND_BLOCK * (sizeof(uint32_t) + sizeof(uint8_t));
}

/* A corpus while a schedule is made over a block. Times are numbers of samples from the block's begin, the first is 1.
 */
struct task {
    uint64_t share;
    uint64_t fraction; /* of a sample that is due at the block's begin beside the whole ones: of WHOLE */
    uint64_t done;     /* samples beyond the whole ones */
    uint64_t last;     /* of them: no more than these */
    uint64_t release, deadline;
};

/* When the corpus' next sample may be taken first, and when last. */
static void set_times(struct task *t, uint64_t block) {
    const uint64_t before = t->done * WHOLE, behind = before + WHOLE;
    t->release = before > t->fraction ? (before - t->fraction) / t->share + 1 : 1;
    t->deadline = (behind - t->fraction + t->share - 1) / t->share;
    if (t->last != UINT64_MAX && t->deadline > block)
        t->deadline = block;
    if (t->done >= t->last)
        t->release = UINT64_MAX;
}

/* The corpora at the begin of a block, nothing done. */
static void begin_tasks(const gg_blend *b, uint64_t number, struct task *tasks, uint64_t *whole) {
    const uint64_t time = number * b->block, high = time >> 24, low = time & 0xFFFFFF;
    for (int c = 0; c < b->count; c++) {
        const uint64_t share = b->share[c];
        tasks[c] = (struct task){.share = share, .last = UINT64_MAX};
        /* time * share: its multiples of WHOLE, and the rest, which 64 bits hold whatever else they lose. */
        whole[c] = (high * share + (low * share >> 24)) >> 16;
        tasks[c].fraction = (time * share) & (WHOLE - 1);
    }
}

/* The corpus whose sample is to be taken at that time. */
static int earliest(const struct task *tasks, int count, uint64_t time) {
    int best = -1;
    for (int c = 0; c < count; c++)
        if (tasks[c].release <= time && (best < 0 || tasks[c].deadline < tasks[best].deadline))
            best = c;
    GG_ASSERT(best >= 0 && tasks[best].deadline >= time);
    return best;
}

/* Takes a block's samples.
 *   taken [out] (block) the corpora, or NULL */
static void schedule(const gg_blend *b, struct task *tasks, uint8_t *taken) {
    for (int c = 0; c < b->count; c++)
        set_times(&tasks[c], b->block);
    for (uint64_t time = 1; time <= b->block; time++) {
        const int c = earliest(tasks, b->count, time);
        tasks[c].done++;
        set_times(&tasks[c], b->block);
        if (taken != NULL)
            taken[time - 1] = (uint8_t)c;
    }
}

/* Rounds the counts at a block's begin to integers whose sum is right: up where a sample's time ends first. */
static void round_counts(const gg_blend *b, struct task *tasks) {
    uint64_t left = 0;
    for (int c = 0; c < b->count; c++) {
        left += tasks[c].fraction;
        set_times(&tasks[c], b->block);
    }
    GG_ASSERT(left % WHOLE == 0);
    for (; left > 0; left -= WHOLE) {
        int best = -1;
        for (int c = 0; c < b->count; c++)
            if (tasks[c].fraction > 0 && tasks[c].done == 0 &&
                (best < 0 || tasks[c].deadline < tasks[best].deadline))
                best = c;
        tasks[best].done = 1;
    }
}

/* Samples of each corpus before a block. */
static void count_before(const gg_blend *b, uint64_t number, uint64_t *counts) {
    struct task tasks[GG_BLEND_CORPORA];
    if (number == 0) {
        memset(counts, 0, (size_t)b->count * sizeof *counts);
        return;
    }
    begin_tasks(b, number - 1, tasks, counts);
    round_counts(b, tasks);
    schedule(b, tasks, NULL);
    for (int c = 0; c < b->count; c++)
        counts[c] += tasks[c].done;
}

/* Makes the table of a block. */
static void enter(gg_blend *b, uint64_t number) {
    if (b->number == number)
        return;
    if (number > 0 && b->number == number - 1)
        memcpy(b->begin, b->behind, sizeof b->begin);
    else
        count_before(b, number, b->begin);
    count_before(b, number + 1, b->behind);
    struct task tasks[GG_BLEND_CORPORA];
    uint64_t whole[GG_BLEND_CORPORA];
    begin_tasks(b, number, tasks, whole);
    for (int c = 0; c < b->count; c++) {
        tasks[c].done = b->begin[c] - whole[c];
        tasks[c].last = b->behind[c] - whole[c];
    }
    schedule(b, tasks, b->corpus);
    uint32_t places[GG_BLEND_CORPORA] = {0};
    for (uint64_t i = 0; i < b->block; i++)
        b->place[i] = places[b->corpus[i]]++;
    b->number = number;
}

void gg_blend_locate(gg_blend *b, uint64_t sample, int *corpus, uint64_t *number) {
    GG_ASSERT(sample < GG_BLEND_SAMPLES);
    enter(b, sample / b->block);
    const uint64_t i = sample % b->block;
    *corpus = b->corpus[i];
    *number = b->begin[*corpus] + b->place[i];
}

void gg_blend_count(gg_blend *b, uint64_t samples, uint64_t *counts) {
    GG_ASSERT(samples < GG_BLEND_SAMPLES);
    enter(b, samples / b->block);
    memcpy(counts, b->begin, (size_t)b->count * sizeof *counts);
    for (uint64_t i = 0; i < samples % b->block; i++)
        counts[b->corpus[i]]++;
}
