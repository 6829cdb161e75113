/* How often each word of a text occurs, words cut by GPT-2's pattern: what BPE training learns from. All
 * local.
 */
#ifndef GG_CORE_TEXT_WORD_COUNTS_H
#define GG_CORE_TEXT_WORD_COUNTS_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gg_word_count {
    uint64_t hash;
    size_t begin; /* of the word in `bytes` */
    uint32_t length;
    int64_t count; /* how often it occurs; 0: the slot is free */
};

/* Zero it to begin. Memory: about 80 bytes and the word per different word, whatever the text's length. */
struct gg_word_counts {
    struct gg_word_count *slots; /* open addressing by hash, at most half full */
    size_t slot_count, word_count;
    char *bytes;
    size_t byte_count, byte_capacity;
};
void gg_word_counts_free(struct gg_word_counts *counts);

/* Counts the words of a text that comes in parts, as gg_encode_part (core/text/tokenizer.h) encodes them.
 *   last     [in]  the text ends here: every word is counted
 *   consumed [out] bytes counted; the rest is to be given again with more behind it. On failure where the
 *                  word begins that cannot be counted
 * GG_BAD_DATA: a word longer than GG_WORD_MAX_BYTES; GG_RESOURCE: no memory. */
gg_status gg_word_counts_add(struct gg_word_counts *counts, const char *text, size_t bytes, bool last,
                             size_t *consumed) GG_MUST_USE;

#endif
