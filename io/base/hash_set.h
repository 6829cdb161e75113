/* A set of 128-bit hashes. Local.
 */
#ifndef GG_IO_BASE_HASH_SET_H
#define GG_IO_BASE_HASH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero it to begin. */
struct gg_hash_set {
    uint64_t (*slots)[2]; /* open addressing; an empty slot is zero */
    size_t count, capacity;
};

/* Adds a hash; false when it was there. The lowest bit of hash[0] is not told apart. */
bool gg_hash_set_add(struct gg_hash_set *set, const uint64_t hash[2]);

void gg_hash_set_free(struct gg_hash_set *set);

#endif
