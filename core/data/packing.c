#include "core/data/packing.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/data/sampler.h" /* gg_permute */

#include <stdlib.h>

/* The texts, longest first, those of a length in drawn order. */
static int64_t *sorted(const int32_t *lengths, int64_t count, int32_t row_length, uint64_t seed) {
    int64_t *order = gg_malloc(((size_t)count + 1) * sizeof *order);
    int64_t *next = gg_calloc((size_t)row_length + 2, sizeof *next); /* place of the next text of a length */
    for (int64_t i = 0; i < count; i++)
        next[lengths[i] - 1]++;
    for (int32_t length = row_length; length >= 0; length--)
        next[length] += next[length + 1];
    const uint64_t key = gg_random_bits(seed, GG_STREAM(GG_STREAM_ORDER, 0), 0);
    for (int64_t i = 0; i < count; i++) {
        const int64_t text = (int64_t)gg_permute(key, (uint64_t)count, (uint64_t)i);
        order[next[lengths[text]]++] = text;
    }
    free(next);
    return order;
}

/* Rows by the room that they have left: a stack for each room, and which stacks are not empty. */
struct rooms {
    int64_t *top;   /* (row_length + 1): a row with that room, or -1 */
    int64_t *below; /* (rows): the next one of its stack */
    uint64_t *some; /* a bit for each room */
    int32_t words;
};

static void push(struct rooms *rooms, int64_t row, int32_t room) {
    rooms->below[row] = rooms->top[room];
    rooms->top[room] = row;
    rooms->some[room / 64] |= (uint64_t)1 << room % 64;
}

/* A row with the least room from `length` on, taken off its stack; -1: there is none. */
static int64_t pop(struct rooms *rooms, int32_t length, int32_t *room) {
    uint64_t bits = rooms->some[length / 64] & ~(uint64_t)0 << length % 64;
    int32_t word = length / 64;
    while (bits == 0 && ++word < rooms->words)
        bits = rooms->some[word];
    if (bits == 0)
        return -1;
    *room = word * 64 + __builtin_ctzll(bits);
    const int64_t row = rooms->top[*room];
    rooms->top[*room] = rooms->below[row];
    if (rooms->top[*room] < 0)
        rooms->some[*room / 64] &= ~((uint64_t)1 << *room % 64);
    return row;
}

static struct rooms make_rooms(int64_t count, int32_t row_length) {
    struct rooms rooms = {.words = row_length / 64 + 1};
    rooms.top = gg_malloc(((size_t)row_length + 1) * sizeof *rooms.top);
    rooms.below = gg_malloc(((size_t)count + 1) * sizeof *rooms.below);
    rooms.some = gg_calloc((size_t)rooms.words, sizeof *rooms.some);
    for (int32_t i = 0; i <= row_length; i++)
        rooms.top[i] = -1;
    return rooms;
}

void gg_packing_make(const int32_t *lengths, int64_t count, int32_t row_length, uint64_t seed,
                     struct gg_packing *packing) {
    int64_t *order = sorted(lengths, count, row_length, seed);
    int64_t *row_of = gg_malloc(((size_t)count + 1) * sizeof *row_of);
    struct rooms rooms = make_rooms(count, row_length);
    *packing = (struct gg_packing){0};
    for (int64_t i = 0; i < count; i++) {
        const int32_t length = lengths[order[i]];
        int32_t room = row_length;
        int64_t row = pop(&rooms, length, &room);
        if (row < 0)
            row = packing->rows++;
        row_of[i] = row;
        push(&rooms, row, room - length);
    }
    packing->first = gg_calloc((size_t)packing->rows + 2, sizeof *packing->first);
    packing->texts = gg_malloc(((size_t)count + 1) * sizeof *packing->texts);
    int64_t *next = packing->first + 1; /* becomes the ends as texts are put down */
    for (int64_t i = 0; i < count; i++)
        next[row_of[i] + 1]++;
    for (int64_t row = 0; row < packing->rows; row++)
        next[row + 1] += next[row];
    for (int64_t i = 0; i < count; i++)
        packing->texts[next[row_of[i]]++] = order[i];
    free(order);
    free(row_of);
    free(rooms.top);
    free(rooms.below);
    free(rooms.some);
}

void gg_packing_free(struct gg_packing *packing) {
    free(packing->first);
    free(packing->texts);
    *packing = (struct gg_packing){0};
}
