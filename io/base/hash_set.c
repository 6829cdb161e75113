#include "io/base/hash_set.h"

#include "core/base/memory.h"

#include <stdlib.h>

static bool insert(uint64_t (*slots)[2], size_t capacity, uint64_t low, uint64_t high) {
    for (size_t i = (size_t)(high ^ low >> 1) & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
        if (slots[i][0] == low && slots[i][1] == high)
            return false;
        if (slots[i][0] == 0) {
            slots[i][0] = low;
            slots[i][1] = high;
            return true;
        }
    }
}

bool gg_hash_set_add(struct gg_hash_set *set, const uint64_t hash[2]) {
    if (2 * (set->count + 1) > set->capacity) {
        const size_t capacity = set->capacity > 0 ? 2 * set->capacity : 1024;
        uint64_t(*slots)[2] = gg_calloc(capacity, sizeof *slots);
        for (size_t i = 0; i < set->capacity; i++)
            if (set->slots[i][0] != 0)
                insert(slots, capacity, set->slots[i][0], set->slots[i][1]);
        free(set->slots);
        set->slots = slots;
        set->capacity = capacity;
    }
    /* A set lowest bit keeps a stored hash from looking like an empty slot. */
    const bool added = insert(set->slots, set->capacity, hash[0] | 1, hash[1]);
    set->count += added;
    return added;
}

void gg_hash_set_free(struct gg_hash_set *set) {
    free(set->slots);
    *set = (struct gg_hash_set){0};
}
