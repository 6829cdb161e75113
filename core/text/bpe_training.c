#include "core/text/bpe_training.h"

#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"
#include "core/text/vocabulary.h"

#include <stdlib.h>
#include <string.h>

/* A word as the tokens it consists of by now. */
struct word {
    size_t begin; /* in `symbols` */
    uint32_t length;
    int64_t count;
};

/* A pair of ids that are, or were, neighbours. */
struct pair {
    uint32_t left, right;
    int64_t count;   /* places where the two are neighbours, over all words with their counts */
    uint32_t *words; /* the words that hold the pair, and some that held it once */
    size_t word_count, word_capacity;
    bool grown; /* during the merge at work */
};

/* A pair with the count it had when it was put into the heap: never less than its count by now, unless it
 * stands in the heap again with that. */
struct candidate {
    int64_t count;
    uint32_t left, right;
    uint32_t pair;
};

struct training {
    struct gg_vocabulary vocabulary;
    struct gg_merge *merges;
    size_t merge_count;
    uint32_t *symbols;
    struct word *words;
    size_t word_count;
    struct pair *pairs;
    size_t pair_count, pair_capacity;
    uint32_t *pair_slots; /* open addressing by the two ids: index + 1, or 0 */
    size_t slot_count;
    struct candidate *heap; /* binary, the best first */
    size_t heap_count, heap_capacity;
    uint32_t *grown; /* the pairs that grew during the merge at work */
    size_t grown_count, grown_capacity;
};

/* Makes room for one more item of `size` bytes in an owned array. */
static void *room(void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return items;
    *capacity = *capacity > 0 ? 2 * *capacity : 4;
    return gg_realloc(items, *capacity * size);
}

static bool better(const struct candidate *a, const struct candidate *b) {
    if (a->count != b->count)
        return a->count > b->count;
    return a->left != b->left ? a->left < b->left : a->right < b->right;
}

static void heap_push(struct training *t, uint32_t pair) {
    const struct candidate item = {t->pairs[pair].count, t->pairs[pair].left, t->pairs[pair].right, pair};
    t->heap = room(t->heap, t->heap_count, &t->heap_capacity, sizeof *t->heap);
    size_t at = t->heap_count++;
    while (at > 0 && better(&item, &t->heap[(at - 1) / 2])) {
        t->heap[at] = t->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    t->heap[at] = item;
}

static struct candidate heap_pop(struct training *t) {
    const struct candidate top = t->heap[0], item = t->heap[--t->heap_count];
    size_t at = 0;
    for (size_t child = 1; child < t->heap_count; child = 2 * at + 1) {
        if (child + 1 < t->heap_count && better(&t->heap[child + 1], &t->heap[child]))
            child++;
        if (!better(&t->heap[child], &item))
            break;
        t->heap[at] = t->heap[child];
        at = child;
    }
    t->heap[at] = item;
    return top;
}

static uint32_t *pair_slot(const struct training *t, uint32_t left, uint32_t right) {
    const uint64_t key = (uint64_t)left << 32 | right;
    const size_t mask = t->slot_count - 1;
    size_t at = (size_t)((key * 0x9E3779B97F4A7C15u) >> 29) & mask;
    while (t->pair_slots[at] != 0 &&
           (t->pairs[t->pair_slots[at] - 1].left != left || t->pairs[t->pair_slots[at] - 1].right != right))
        at = (at + 1) & mask;
    return &t->pair_slots[at];
}

/* The index of a pair, new ones with count 0. */
static uint32_t find_pair(struct training *t, uint32_t left, uint32_t right) {
    if (2 * (t->pair_count + 1) > t->slot_count) {
        t->slot_count = t->slot_count > 0 ? 2 * t->slot_count : 1 << 14;
        free(t->pair_slots);
        t->pair_slots = gg_calloc(t->slot_count, sizeof *t->pair_slots);
        for (size_t i = 0; i < t->pair_count; i++)
            *pair_slot(t, t->pairs[i].left, t->pairs[i].right) = (uint32_t)i + 1;
    }
    uint32_t *slot = pair_slot(t, left, right);
    if (*slot == 0) {
        t->pairs = room(t->pairs, t->pair_count, &t->pair_capacity, sizeof *t->pairs);
        t->pairs[t->pair_count++] = (struct pair){.left = left, .right = right};
        *slot = (uint32_t)t->pair_count;
    }
    return *slot - 1;
}

/* A place in `word` where the pair has come to be. */
static void add_place(struct training *t, uint32_t left, uint32_t right, uint32_t word) {
    const uint32_t index = find_pair(t, left, right);
    struct pair *pair = &t->pairs[index];
    pair->count += t->words[word].count;
    if (pair->word_count == 0 || pair->words[pair->word_count - 1] != word) {
        pair->words = room(pair->words, pair->word_count, &pair->word_capacity, sizeof *pair->words);
        pair->words[pair->word_count++] = word;
    }
    if (!pair->grown) {
        pair->grown = true;
        t->grown = room(t->grown, t->grown_count, &t->grown_capacity, sizeof *t->grown);
        t->grown[t->grown_count++] = index;
    }
}

static void remove_place(struct training *t, uint32_t left, uint32_t right, uint32_t word) {
    t->pairs[find_pair(t, left, right)].count -= t->words[word].count;
}

/* Puts the pairs that grew into the heap. */
static void offer_grown(struct training *t) {
    for (size_t i = 0; i < t->grown_count; i++) {
        t->pairs[t->grown[i]].grown = false;
        heap_push(t, t->grown[i]);
    }
    t->grown_count = 0;
}

/* Replaces left, right by merged in one word, from left to right, and keeps the counts of the pairs exact. */
static void merge_in_word(struct training *t, uint32_t index, const struct gg_merge *merge) {
    struct word *word = &t->words[index];
    uint32_t *symbols = t->symbols + word->begin, kept = 0;
    for (uint32_t i = 0; i < word->length; i++) {
        if (i + 1 == word->length || symbols[i] != merge->left || symbols[i + 1] != merge->right) {
            symbols[kept++] = symbols[i];
            continue;
        }
        remove_place(t, merge->left, merge->right, index);
        if (kept > 0) {
            remove_place(t, symbols[kept - 1], merge->left, index);
            add_place(t, symbols[kept - 1], merge->merged, index);
        }
        if (i + 2 < word->length) {
            remove_place(t, merge->right, symbols[i + 2], index);
            add_place(t, merge->merged, symbols[i + 2], index);
        }
        symbols[kept++] = merge->merged;
        i++;
    }
    word->length = kept;
}

/* Makes the pair's token (or finds it: two pairs may spell the same bytes) and merges it in every word. */
static gg_status merge_pair(struct training *t, uint32_t index) {
    const uint32_t left = t->pairs[index].left, right = t->pairs[index].right;
    const struct gg_vocabulary_entry *a = &t->vocabulary.entries[left], *b = &t->vocabulary.entries[right];
    const size_t length = (size_t)a->length + b->length;
    char *bytes = gg_malloc(length);
    memcpy(bytes, a->bytes, a->length);
    memcpy(bytes + a->length, b->bytes, b->length);
    uint32_t merged = (uint32_t)t->vocabulary.count;
    gg_status status = GG_OK;
    if (!gg_vocabulary_find(&t->vocabulary, bytes, length, &merged))
        status = gg_vocabulary_add(&t->vocabulary, merged, bytes, length, false);
    free(bytes);
    GG_TRY(status);
    const struct gg_merge merge = {left, right, merged};
    t->merges = gg_realloc(t->merges, (t->merge_count + 1) * sizeof merge);
    t->merges[t->merge_count++] = merge;
    uint32_t *words = t->pairs[index].words;
    const size_t word_count = t->pairs[index].word_count;
    t->pairs[index].words = NULL;
    t->pairs[index].word_count = t->pairs[index].word_capacity = 0;
    for (size_t i = 0; i < word_count; i++)
        merge_in_word(t, words[i], &merge);
    free(words);
    offer_grown(t);
    return GG_OK;
}

/* Lays out the words as bytes' ids and counts their pairs. */
static gg_status begin(struct training *t, const struct gg_word_counts *counts) {
    uint32_t byte_ids[256];
    for (uint32_t id = 0; id < 256; id++) {
        const char byte = (char)gg_alphabet_byte(id);
        byte_ids[(unsigned char)byte] = id;
        GG_TRY(gg_vocabulary_add(&t->vocabulary, id, &byte, 1, false));
    }
    void *memory;
    GG_TRY(gg_try_malloc(counts->byte_count * sizeof *t->symbols, "the words to train on", &memory));
    t->symbols = memory;
    GG_TRY(gg_try_malloc(counts->word_count * sizeof *t->words, "the words to train on", &memory));
    t->words = memory;
    for (size_t i = 0; i < counts->byte_count; i++)
        t->symbols[i] = byte_ids[(unsigned char)counts->bytes[i]];
    for (size_t i = 0; i < counts->slot_count; i++) {
        const struct gg_word_count *counted = &counts->slots[i];
        if (counted->count == 0)
            continue;
        const uint32_t index = (uint32_t)t->word_count++;
        t->words[index] = (struct word){counted->begin, counted->length, counted->count};
        for (uint32_t j = 0; j + 1 < counted->length; j++)
            add_place(t, t->symbols[counted->begin + j], t->symbols[counted->begin + j + 1], index);
    }
    offer_grown(t);
    return GG_OK;
}

/* Merges until the vocabulary has `most` entries or no pair occurs twice. */
static gg_status learn(struct training *t, size_t most) {
    while (t->vocabulary.count < most && t->heap_count > 0) {
        const struct candidate best = heap_pop(t);
        const int64_t count = t->pairs[best.pair].count;
        if (count < 2)
            continue;
        if (count != best.count)
            heap_push(t, best.pair);
        else
            GG_TRY(merge_pair(t, best.pair));
    }
    return GG_OK;
}

static void training_free(struct training *t) {
    for (size_t i = 0; i < t->pair_count; i++)
        free(t->pairs[i].words);
    gg_vocabulary_free(&t->vocabulary);
    free(t->merges);
    free(t->symbols);
    free(t->words);
    free(t->pairs);
    free(t->pair_slots);
    free(t->heap);
    free(t->grown);
}

gg_status gg_bpe_train(const struct gg_word_counts *counts, int64_t vocab, gg_tokenizer **tokenizer) {
    *tokenizer = NULL;
    if (vocab < GG_VOCABULARY_MIN || vocab > (int64_t)GG_VOCABULARY_MAX)
        return gg_fail(GG_USAGE,
                       "a vocabulary of %lld entries: from %d (the bytes and " GG_END_OF_TEXT
                       ") to %zu are possible",
                       (long long)vocab, GG_VOCABULARY_MIN, GG_VOCABULARY_MAX);
    if (counts->word_count >= UINT32_MAX)
        return gg_fail(GG_RESOURCE, "%zu different words to train on: too many", counts->word_count);
    struct training t = {0};
    gg_status status = begin(&t, counts);
    if (status == GG_OK)
        status = learn(&t, (size_t)vocab - 1);
    if (status == GG_OK)
        status = gg_vocabulary_add(&t.vocabulary, t.vocabulary.count, GG_END_OF_TEXT, strlen(GG_END_OF_TEXT),
                                   true);
    if (status == GG_OK) {
        const struct gg_tokenizer_parts parts = {.entries = t.vocabulary.entries,
                                                 .entry_count = t.vocabulary.count,
                                                 .merges = t.merges,
                                                 .merge_count = t.merge_count};
        status = gg_tokenizer_create(&parts, tokenizer);
    }
    training_free(&t);
    return status;
}
