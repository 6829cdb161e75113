/* The merges of a byte-level BPE (Sennrich et al. 2016, "Neural machine translation of rare words with
 * subword units"), and how they apply to one word: while any two neighbours have a merge, the merge of lowest
 * rank is done, leftmost first. All local.
 */
#ifndef GG_CORE_TEXT_BPE_H
#define GG_CORE_TEXT_BPE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A hash table from a pair of ids to (rank, merged id), open addressing, at most half full. */
struct gg_bpe {
    struct gg_bpe_slot *slots;
    size_t mask; /* slot count - 1; the count is a power of two */
    size_t count;
};

/* GG_RESOURCE when there is no memory for `merge_count` merges; it cannot take more than that. */
gg_status gg_bpe_init(struct gg_bpe *bpe, size_t merge_count) GG_MUST_USE;
void gg_bpe_free(struct gg_bpe *bpe);

/* Adds the merge of next rank; false when the pair has one already. */
bool gg_bpe_add(struct gg_bpe *bpe, uint32_t left, uint32_t right, uint32_t merged);

/* Scratch of one thread for long words; zero it to begin. */
struct gg_bpe_scratch {
    void *memory;
    size_t bytes;
};
void gg_bpe_scratch_free(struct gg_bpe_scratch *scratch);

/* Merges one word in place.
 *   ids   [in,out] the ids of its bytes; then of its tokens
 *   count [in,out] how many; below 2^32
 * Time n log n and 24 n bytes of scratch for a word of n bytes. GG_RESOURCE: no memory for the scratch. */
gg_status gg_bpe_merge(const struct gg_bpe *bpe, struct gg_bpe_scratch *scratch, uint32_t *ids,
                       size_t *count) GG_MUST_USE;

#endif
