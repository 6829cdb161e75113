#include "io/tokenizer/tokenizer_draft_internal.h"

#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"

#include <stdlib.h>
#include <string.h>

void gg_tokenizer_draft_free(struct gg_tokenizer_draft *draft) {
    gg_vocabulary_free(&draft->vocabulary);
    free(draft->merges);
    free(draft->pattern);
    *draft = (struct gg_tokenizer_draft){0};
}

gg_status gg_draft_merge(struct gg_tokenizer_draft *draft, const char *left, size_t left_length,
                         const char *right, size_t right_length) {
    const struct gg_vocabulary *vocabulary = &draft->vocabulary;
    struct gg_merge merge = {0};
    char *both = gg_malloc(left_length + right_length + 1);
    memcpy(both, left, left_length);
    memcpy(both + left_length, right, right_length);
    const bool known = gg_vocabulary_find(vocabulary, left, left_length, &merge.left) &&
                       gg_vocabulary_find(vocabulary, right, right_length, &merge.right) &&
                       gg_vocabulary_find(vocabulary, both, left_length + right_length, &merge.merged);
    free(both);
    if (!known)
        return gg_fail(GG_BAD_DATA, "a merge of tokens, or into a token, that the vocabulary does not have");
    if (draft->merge_count == draft->merge_capacity) {
        draft->merge_capacity = draft->merge_capacity > 0 ? 2 * draft->merge_capacity : 1024;
        draft->merges = gg_realloc(draft->merges, draft->merge_capacity * sizeof *draft->merges);
    }
    draft->merges[draft->merge_count++] = merge;
    return GG_OK;
}

gg_status gg_draft_merge_text(struct gg_tokenizer_draft *draft, const char *left, size_t left_length,
                              const char *right, size_t right_length) {
    char *bytes = gg_malloc(left_length + right_length + 1);
    size_t left_bytes, right_bytes;
    gg_status status;
    if (gg_alphabet_decode(left, left_length, bytes, &left_bytes) &&
        gg_alphabet_decode(right, right_length, bytes + left_length, &right_bytes))
        status = gg_draft_merge(draft, bytes, left_bytes, bytes + left_length, right_bytes);
    else
        status = gg_fail(GG_BAD_DATA, "a merge of what is not a byte-level token");
    free(bytes);
    return status;
}

const char *gg_next_line(const char *text, size_t bytes, size_t *at, size_t *number, size_t *length) {
    while (*at < bytes) {
        const char *line = text + *at, *newline = memchr(line, '\n', bytes - *at);
        *length = newline != NULL ? (size_t)(newline - line) : bytes - *at;
        *at += *length + 1;
        ++*number;
        if (*length > 0 && line[*length - 1] == '\r')
            --*length;
        if (*length > 0)
            return line;
    }
    return NULL;
}

gg_status gg_tokenizer_draft_finish(struct gg_tokenizer_draft *draft, gg_tokenizer **tokenizer) {
    const struct gg_tokenizer_parts parts = {
        .entries = draft->vocabulary.entries,
        .entry_count = draft->vocabulary.count,
        .merges = draft->merges,
        .merge_count = draft->merge_count,
        .pattern = draft->pattern,
        .nfc = draft->nfc,
        .whole_words = draft->whole_words,
    };
    return gg_tokenizer_create_known(&parts, &draft->other_kind, tokenizer);
}
