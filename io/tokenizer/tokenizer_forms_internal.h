/* The file forms of a tokenizer. Each reads text into an empty draft; messages name neither the file nor, in
 * JSON, its line, which the caller puts in front. All local.
 */
#ifndef GG_IO_TOKENIZER_TOKENIZER_FORMS_INTERNAL_H
#define GG_IO_TOKENIZER_TOKENIZER_FORMS_INTERNAL_H

#include "io/base/json_parse.h"
#include "io/tokenizer/tokenizer_draft_internal.h"

/* A whole tokenizer.json. */
gg_status gg_read_tokenizer_json(const json_t *root, struct gg_tokenizer_draft *draft) GG_MUST_USE;

/* The tokens of a vocab.json; <|endoftext|> becomes special. */
gg_status gg_read_vocab_json(const json_t *root, struct gg_tokenizer_draft *draft) GG_MUST_USE;

/* The merges of a merges.txt. */
gg_status gg_read_merges_text(const char *text, size_t bytes, struct gg_tokenizer_draft *draft) GG_MUST_USE;

/* A .tiktoken rank file: tokens, and the merges that follow from the ranks. */
gg_status gg_read_ranks(const char *text, size_t bytes, struct gg_tokenizer_draft *draft) GG_MUST_USE;

#endif
