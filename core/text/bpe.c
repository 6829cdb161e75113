#include "core/text/bpe.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct gg_bpe_slot {
    uint64_t pair; /* left << 32 | right */
    uint32_t rank; /* NO_RANK: the slot is free */
    uint32_t merged;
};

/* SHORT_WORD: up to this many ids a plain scan for the lowest rank is faster than a heap. */
enum { SHORT_WORD = 64 };
#define NO_RANK UINT32_MAX
#define NONE    UINT32_MAX

gg_status gg_bpe_init(struct gg_bpe *bpe, size_t merge_count) {
    *bpe = (struct gg_bpe){0};
    size_t slot_count = 16;
    while (slot_count / 2 < merge_count && slot_count <= SIZE_MAX / 4 / sizeof *bpe->slots)
        slot_count *= 2;
    void *memory;
    GG_TRY(gg_try_malloc(slot_count * sizeof *bpe->slots, "a tokenizer's merges", &memory));
    memset(memory, 0xFF, slot_count * sizeof *bpe->slots);
    bpe->slots = memory;
    bpe->mask = slot_count - 1;
    return GG_OK;
}

void gg_bpe_free(struct gg_bpe *bpe) {
    free(bpe->slots);
    *bpe = (struct gg_bpe){0};
}

static struct gg_bpe_slot *find_slot(const struct gg_bpe *bpe, uint32_t left, uint32_t right) {
    const uint64_t pair = (uint64_t)left << 32 | right;
    size_t at = (size_t)((pair * 0x9E3779B97F4A7C15u) >> 29) & bpe->mask;
    while (bpe->slots[at].rank != NO_RANK && bpe->slots[at].pair != pair)
        at = (at + 1) & bpe->mask;
    return &bpe->slots[at];
}

bool gg_bpe_add(struct gg_bpe *bpe, uint32_t left, uint32_t right, uint32_t merged) {
    GG_ASSERT(bpe->count <= bpe->mask / 2);
    struct gg_bpe_slot *slot = find_slot(bpe, left, right);
    if (slot->rank != NO_RANK)
        return false;
    *slot = (struct gg_bpe_slot){(uint64_t)left << 32 | right, (uint32_t)bpe->count++, merged};
    return true;
}

void gg_bpe_scratch_free(struct gg_bpe_scratch *scratch) {
    free(scratch->memory);
    *scratch = (struct gg_bpe_scratch){0};
}

/* ranks[i] and merged[i] belong to the pair (ids[i], ids[i + 1]). */
static size_t merge_short(const struct gg_bpe *bpe, uint32_t *ids, size_t count) {
    uint32_t ranks[SHORT_WORD], merged[SHORT_WORD];
    for (size_t i = 0; i + 1 < count; i++) {
        const struct gg_bpe_slot *slot = find_slot(bpe, ids[i], ids[i + 1]);
        ranks[i] = slot->rank;
        merged[i] = slot->merged;
    }
    while (count > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < count; i++)
            if (ranks[i] < ranks[best])
                best = i;
        if (ranks[best] == NO_RANK)
            break;
        ids[best] = merged[best];
        count--;
        for (size_t i = best + 1; i < count; i++) {
            ids[i] = ids[i + 1];
            ranks[i - 1] = ranks[i];
            merged[i - 1] = merged[i];
        }
        for (size_t i = best > 0 ? best - 1 : 0; i <= best && i + 1 < count; i++) {
            const struct gg_bpe_slot *slot = find_slot(bpe, ids[i], ids[i + 1]);
            ranks[i] = slot->rank;
            merged[i] = slot->merged;
        }
    }
    return count;
}

/* A binary min-heap of rank << 32 | position: lowest rank first, then leftmost. Entries are never taken out
 * early: one whose pair has changed since is recognised when it comes up. */
struct heap {
    uint64_t *items;
    size_t count;
};

static void sift_down(struct heap *heap, size_t at) {
    const uint64_t item = heap->items[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->items[child + 1] < heap->items[child])
            child++;
        if (item <= heap->items[child])
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = item;
}

static uint64_t pop(struct heap *heap) {
    const uint64_t top = heap->items[0];
    heap->items[0] = heap->items[--heap->count];
    if (heap->count > 1)
        sift_down(heap, 0);
    return top;
}

static void push(struct heap *heap, uint64_t item) {
    size_t at = heap->count++;
    while (at > 0 && item < heap->items[(at - 1) / 2]) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
}

/* The word as a doubly linked list over positions; a merged-away position has id NONE. */
struct long_word {
    const struct gg_bpe *bpe;
    uint32_t *ids, *next, *prev;
    struct heap heap;
};

static void push_pair(struct long_word *word, uint32_t at) {
    const struct gg_bpe_slot *slot = find_slot(word->bpe, word->ids[at], word->ids[word->next[at]]);
    if (slot->rank != NO_RANK)
        push(&word->heap, (uint64_t)slot->rank << 32 | at);
}

/* Does the heap's first merge if its pair still stands. */
static void merge_first(struct long_word *word) {
    const uint64_t first = pop(&word->heap);
    const uint32_t at = (uint32_t)first, rank = (uint32_t)(first >> 32);
    if (word->ids[at] == NONE || word->next[at] == NONE)
        return;
    const uint32_t gone = word->next[at];
    const struct gg_bpe_slot *slot = find_slot(word->bpe, word->ids[at], word->ids[gone]);
    if (slot->rank != rank)
        return;
    word->ids[at] = slot->merged;
    word->ids[gone] = NONE;
    word->next[at] = word->next[gone];
    if (word->next[at] != NONE) {
        word->prev[word->next[at]] = at;
        push_pair(word, at);
    }
    if (word->prev[at] != NONE)
        push_pair(word, word->prev[at]);
}

static size_t merge_long(const struct gg_bpe *bpe, void *memory, uint32_t *ids, size_t count) {
    uint64_t *items = memory;
    uint32_t *next = (uint32_t *)(items + 2 * count);
    struct long_word word = {bpe, ids, next, next + count, {items, 0}};
    for (size_t i = 0; i < count; i++) {
        word.next[i] = i + 1 < count ? (uint32_t)(i + 1) : NONE;
        word.prev[i] = i > 0 ? (uint32_t)(i - 1) : NONE;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        const struct gg_bpe_slot *slot = find_slot(bpe, ids[i], ids[i + 1]);
        if (slot->rank != NO_RANK)
            items[word.heap.count++] = (uint64_t)slot->rank << 32 | i;
    }
    for (size_t i = word.heap.count / 2; i-- > 0;)
        sift_down(&word.heap, i);
    /* A merge takes out one entry and puts in at most two, and there are fewer than `count` merges: the heap
     * stays below 2 * count. */
    while (word.heap.count > 0)
        merge_first(&word);
    size_t kept = 0;
    for (uint32_t at = 0; at != NONE; at = word.next[at])
        ids[kept++] = ids[at];
    return kept;
}

gg_status gg_bpe_merge(const struct gg_bpe *bpe, struct gg_bpe_scratch *scratch, uint32_t *ids,
                       size_t *count) {
    if (*count <= SHORT_WORD) {
        *count = merge_short(bpe, ids, *count);
        return GG_OK;
    }
    const size_t bytes = *count * (2 * sizeof(uint64_t) + 2 * sizeof(uint32_t));
    if (bytes > scratch->bytes) {
        gg_bpe_scratch_free(scratch);
        GG_TRY(gg_try_malloc(bytes, "the merging of a long word", &scratch->memory));
        scratch->bytes = bytes;
    }
    *count = merge_long(bpe, scratch->memory, ids, *count);
    return GG_OK;
}
