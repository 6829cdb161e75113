#include "core/text/vocabulary.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void gg_vocabulary_free(struct gg_vocabulary *vocabulary) {
    for (size_t id = 0; id < vocabulary->count; id++)
        free((char *)vocabulary->entries[id].bytes);
    free(vocabulary->entries);
    free(vocabulary->slots);
    *vocabulary = (struct gg_vocabulary){0};
}

/* The slot that holds the token, or the free one where it belongs. */
static uint32_t *find_slot(const struct gg_vocabulary *vocabulary, const char *bytes, size_t length) {
    const size_t mask = vocabulary->slot_count - 1;
    for (size_t at = (size_t)XXH3_64bits(bytes, length) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &vocabulary->slots[at];
        if (*slot == 0)
            return slot;
        const struct gg_vocabulary_entry *entry = &vocabulary->entries[*slot - 1];
        if (entry->length == length && memcmp(entry->bytes, bytes, length) == 0)
            return slot;
    }
}

static gg_status grow_entries(struct gg_vocabulary *vocabulary, size_t wanted) {
    size_t capacity = vocabulary->capacity > 0 ? vocabulary->capacity : 512;
    while (capacity < wanted)
        capacity *= 2;
    if (capacity > vocabulary->capacity) {
        struct gg_vocabulary_entry *entries =
            gg_realloc_or_null(vocabulary->entries, capacity * sizeof *vocabulary->entries);
        if (entries == NULL)
            return gg_fail(GG_RESOURCE, "no memory for a vocabulary of %zu entries", wanted);
        vocabulary->entries = entries;
        vocabulary->capacity = capacity;
    }
    if (wanted > vocabulary->count) {
        memset(vocabulary->entries + vocabulary->count, 0,
               (wanted - vocabulary->count) * sizeof *vocabulary->entries);
        vocabulary->count = wanted;
    }
    return GG_OK;
}

/* Keeps the slots at most half full. */
static gg_status grow_slots(struct gg_vocabulary *vocabulary) {
    if (2 * (vocabulary->token_count + 1) <= vocabulary->slot_count)
        return GG_OK;
    const size_t slot_count = vocabulary->slot_count > 0 ? 2 * vocabulary->slot_count : 1024;
    uint32_t *slots = gg_calloc_or_null(slot_count, sizeof *slots);
    if (slots == NULL)
        return gg_fail(GG_RESOURCE, "no memory for a vocabulary of %zu entries", vocabulary->token_count);
    free(vocabulary->slots);
    vocabulary->slots = slots;
    vocabulary->slot_count = slot_count;
    for (size_t id = 0; id < vocabulary->count; id++)
        if (vocabulary->entries[id].length > 0)
            *find_slot(vocabulary, vocabulary->entries[id].bytes, vocabulary->entries[id].length) =
                (uint32_t)id + 1;
    return GG_OK;
}

gg_status gg_vocabulary_add(struct gg_vocabulary *vocabulary, uint64_t id, const char *bytes, size_t length,
                            bool special) {
    uint32_t known;
    if (id >= GG_VOCABULARY_MAX)
        return gg_fail(GG_BAD_DATA, "id %llu: ids are at most %zu", (unsigned long long)id,
                       GG_VOCABULARY_MAX - 1);
    if (length == 0 || length > UINT32_MAX)
        return gg_fail(GG_BAD_DATA, "id %llu: the token is %s", (unsigned long long)id,
                       length == 0 ? "empty" : "too long");
    if (id < vocabulary->count && vocabulary->entries[id].length > 0)
        return gg_fail(GG_BAD_DATA, "id %llu is given to two tokens", (unsigned long long)id);
    if (gg_vocabulary_find(vocabulary, bytes, length, &known))
        return gg_fail(GG_BAD_DATA, "ids %u and %llu are the same token", known, (unsigned long long)id);
    GG_TRY(grow_slots(vocabulary));
    GG_TRY(grow_entries(vocabulary, (size_t)id + 1));
    uint32_t *slot = find_slot(vocabulary, bytes, length);
    vocabulary->entries[id] = (struct gg_vocabulary_entry){
        .bytes = gg_strndup(bytes, length), .length = (uint32_t)length, .special = special};
    vocabulary->token_count++;
    *slot = (uint32_t)id + 1;
    return GG_OK;
}

bool gg_vocabulary_find(const struct gg_vocabulary *vocabulary, const char *bytes, size_t length,
                        uint32_t *id) {
    if (vocabulary->token_count == 0)
        return false;
    const uint32_t *slot = find_slot(vocabulary, bytes, length);
    if (*slot == 0)
        return false;
    *id = *slot - 1;
    return true;
}
