/* A tokenizer as the keys of a GGUF file. Local.
 */
#ifndef GG_IO_HUGGINGFACE_GGUF_TOKENIZER_H
#define GG_IO_HUGGINGFACE_GGUF_TOKENIZER_H

#include "core/text/chat_settings.h"
#include "core/text/tokenizer.h"
#include "io/huggingface/gguf_writer.h"

/* Puts tokenizer.ggml.*: tokens, their types and the merges, the pattern by the name that llama.cpp has for it, the
 * tokens that begin and end a text. llama.cpp brings no text to Normal Form C: texts that are not in it get other
 * ids there from a tokenizer that asks for it.
 *   tokenizer [in] NULL: the model works on ids alone
 *   vocab     [in] the model's; ids that the tokenizer does not have are listed as unused
 *   chat      [in] the template that conversations are written by, where the model knows any
 * GG_USAGE: llama.cpp has no name for the pattern. */
gg_status gg_gguf_put_tokenizer(gg_gguf_writer *writer, const gg_tokenizer *tokenizer, int64_t vocab,
                                const struct gg_chat_settings *chat) GG_MUST_USE;

#endif
