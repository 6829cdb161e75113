/* The file forms of a tokenizer, for io/tokenizer/tokenizer_file.c. Each reads text into an empty vocabulary and a list
 * of merges; messages name neither the file nor, in JSON, its line, which the caller puts in front. All
 * local.
 */
#ifndef GG_IO_TOKENIZER_TOKENIZER_FORMS_H
#define GG_IO_TOKENIZER_TOKENIZER_FORMS_H

#include "core/text/vocabulary.h"

#include <jansson.h>

/* A tokenizer while it is read; zero it to begin. */
struct gg_tokenizer_draft {
    struct gg_vocabulary vocabulary;
    struct gg_merge *merges;
    size_t merge_count, merge_capacity;
    char *pattern; /* NULL: GPT-2's */
};
void gg_tokenizer_draft_free(struct gg_tokenizer_draft *draft);

/* Adds the merge of two tokens given by their bytes. GG_BAD_DATA: one of them, or what they make, is not in
 * the vocabulary. */
gg_status gg_draft_merge(struct gg_tokenizer_draft *draft, const char *left, size_t left_length,
                         const char *right, size_t right_length) GG_MUST_USE;

/* The same, the tokens written in GPT-2's byte alphabet (core/text/byte_alphabet.h). */
gg_status gg_draft_merge_text(struct gg_tokenizer_draft *draft, const char *left, size_t left_length,
                              const char *right, size_t right_length) GG_MUST_USE;

/* Parses JSON. GG_BAD_DATA with line and column. *root is owned by the caller (json_decref). */
gg_status gg_json_parse(const char *text, size_t bytes, json_t **root) GG_MUST_USE;

/* A whole tokenizer.json. */
gg_status gg_read_tokenizer_json(const json_t *root, struct gg_tokenizer_draft *draft) GG_MUST_USE;

/* The tokens of a vocab.json; <|endoftext|> becomes special. */
gg_status gg_read_vocab_json(const json_t *root, struct gg_tokenizer_draft *draft) GG_MUST_USE;

/* The merges of a merges.txt. */
gg_status gg_read_merges_text(const char *text, size_t bytes, struct gg_tokenizer_draft *draft) GG_MUST_USE;

/* A .tiktoken rank file: tokens, and the merges that follow from the ranks. */
gg_status gg_read_ranks(const char *text, size_t bytes, struct gg_tokenizer_draft *draft) GG_MUST_USE;

#endif
