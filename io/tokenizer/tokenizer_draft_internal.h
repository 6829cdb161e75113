/* A tokenizer while its file is read, whatever the form of that. All local.
 */
#ifndef GG_IO_TOKENIZER_TOKENIZER_DRAFT_INTERNAL_H
#define GG_IO_TOKENIZER_TOKENIZER_DRAFT_INTERNAL_H

#include "core/text/tokenizer.h"
#include "core/text/vocabulary.h"

/* Zero it to begin. */
struct gg_tokenizer_draft {
    struct gg_vocabulary vocabulary;
    struct gg_merge *merges;
    size_t merge_count, merge_capacity;
    char *pattern; /* NULL: GPT-2's */
    bool nfc, whole_words;
    bool other_kind; /* what failed is not supported, and may be whole */
};
void gg_tokenizer_draft_free(struct gg_tokenizer_draft *draft);

/* Adds the merge of two tokens given by their bytes. GG_BAD_DATA: one of them, or what they make, is not in
 * the vocabulary. */
gg_status gg_draft_merge(struct gg_tokenizer_draft *draft, const char *left, size_t left_length,
                         const char *right, size_t right_length) GG_MUST_USE;

/* The same, the tokens written in GPT-2's byte alphabet (core/text/byte_alphabet.h). */
gg_status gg_draft_merge_text(struct gg_tokenizer_draft *draft, const char *left, size_t left_length,
                              const char *right, size_t right_length) GG_MUST_USE;

/* The next line of a text that is not empty; a CR before its line feed does not count.
 *   at     [in,out] where the search begins; behind the line
 *   number [in,out] of the line, from 1; 0 to begin
 *   length [out]
 * Returns NULL behind the last. */
const char *gg_next_line(const char *text, size_t bytes, size_t *at, size_t *number, size_t *length);

/* The tokenizer that the draft describes, owned by the caller; the draft stays. GG_BAD_DATA. */
gg_status gg_tokenizer_draft_finish(struct gg_tokenizer_draft *draft, gg_tokenizer **tokenizer) GG_MUST_USE;

#endif
