#include "core/text/word_counts.h"

#include "core/base/memory.h"
#include "core/text/gpt2_scanner.h"
#include "core/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void gg_word_counts_free(struct gg_word_counts *counts) {
    free(counts->slots);
    free(counts->bytes);
    *counts = (struct gg_word_counts){0};
}

/* The word's slot, or the free one where it belongs. */
static struct gg_word_count *find_slot(const struct gg_word_counts *counts, const char *word, size_t length,
                                       uint64_t hash) {
    const size_t mask = counts->slot_count - 1;
    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        struct gg_word_count *slot = &counts->slots[at];
        if (slot->count == 0 || (slot->hash == hash && slot->length == length &&
                                 memcmp(counts->bytes + slot->begin, word, length) == 0))
            return slot;
    }
}

static gg_status no_memory(const struct gg_word_counts *counts) {
    return gg_fail(GG_RESOURCE, "no memory for the counts of more than %zu different words",
                   counts->word_count);
}

static gg_status grow_slots(struct gg_word_counts *counts) {
    if (2 * (counts->word_count + 1) <= counts->slot_count)
        return GG_OK;
    const size_t slot_count = counts->slot_count > 0 ? 2 * counts->slot_count : 1 << 14;
    struct gg_word_count *slots = gg_calloc_or_null(slot_count, sizeof *slots);
    if (slots == NULL)
        return no_memory(counts);
    for (size_t i = 0; i < counts->slot_count; i++) {
        if (counts->slots[i].count == 0)
            continue;
        size_t at = (size_t)counts->slots[i].hash & (slot_count - 1);
        while (slots[at].count != 0)
            at = (at + 1) & (slot_count - 1);
        slots[at] = counts->slots[i];
    }
    free(counts->slots);
    counts->slots = slots;
    counts->slot_count = slot_count;
    return GG_OK;
}

static gg_status grow_bytes(struct gg_word_counts *counts, size_t more) {
    if (more <= counts->byte_capacity - counts->byte_count)
        return GG_OK;
    size_t capacity = counts->byte_capacity > 0 ? counts->byte_capacity : 1 << 16;
    while (capacity - counts->byte_count < more)
        capacity *= 2;
    char *bytes = gg_realloc_or_null(counts->bytes, capacity);
    if (bytes == NULL)
        return no_memory(counts);
    counts->bytes = bytes;
    counts->byte_capacity = capacity;
    return GG_OK;
}

static gg_status count_word(struct gg_word_counts *counts, const char *word, size_t length) {
    GG_TRY(grow_slots(counts));
    const uint64_t hash = XXH3_64bits(word, length);
    struct gg_word_count *slot = find_slot(counts, word, length, hash);
    if (slot->count == 0) {
        GG_TRY(grow_bytes(counts, length));
        memcpy(counts->bytes + counts->byte_count, word, length);
        *slot = (struct gg_word_count){hash, counts->byte_count, (uint32_t)length, 0};
        counts->byte_count += length;
        counts->word_count++;
    }
    slot->count++;
    return GG_OK;
}

gg_status gg_word_counts_add(struct gg_word_counts *counts, const char *text, size_t bytes, bool last,
                             size_t *consumed) {
    *consumed = 0;
    while (*consumed < bytes) {
        const size_t length = gg_gpt2_word_end(text, *consumed, bytes, last) - *consumed;
        if (length == 0)
            break;
        if (length > GG_WORD_MAX_BYTES)
            return gg_fail_long_word(length);
        GG_TRY(count_word(counts, text + *consumed, length));
        *consumed += length;
    }
    return GG_OK;
}
