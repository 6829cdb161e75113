/* A tokenizer's files in a Hugging Face folder. Local.
 */
#ifndef GG_IO_TOKENIZER_TOKENIZER_HUGGINGFACE_H
#define GG_IO_TOKENIZER_TOKENIZER_HUGGINGFACE_H

#include "core/text/tokenizer.h"

/* Writes tokenizer.json and tokenizer_config.json, from which transformers' AutoTokenizer gives the same ids
 * (add_special_tokens=False).
 *   folder  [in] is there
 *   context [in] tokens that the model takes (model_max_length)
 *   chat_template [in] in Jinja, for its apply_chat_template; or NULL
 * GG_BAD_DATA: a special token is not UTF-8; GG_STORAGE. */
gg_status gg_tokenizer_write_huggingface(const gg_tokenizer *tokenizer, const char *folder, int64_t context,
                                         const char *chat_template) GG_MUST_USE;

#endif
