/* Tokenizers in files: a Hugging Face tokenizer.json (ours are one too), a folder with one or with vocab.json
 * and merges.txt, a .tiktoken rank file. All local.
 *
 * Read from tokenizer.json: a BPE model under the ByteLevel pre-tokenizer, alone (GPT-2's pattern) or behind
 * one Split by a pattern, with or without the NFC normalizer and ignore_merges: GPT-2's, Qwen's and Llama 3's
 * tokenizers. Anything else that would change the ids is refused by name. Of added tokens those that are not
 * special are always looked for in text; special ones where the caller allows it. A token that TemplateProcessing
 * puts in front of a text is remembered and never added. vocab.json with merges.txt, and rank files, do not tell
 * their pattern: GPT-2's is taken, and refused are rank files known to go with another one (cl100k_base,
 * o200k_base) and folders whose tokenizer_config.json names another class than GPT2Tokenizer. Rank files
 * hold no special tokens: <|endoftext|> takes the first free id, which is its own in r50k_base and p50k_base.
 */
#ifndef GG_IO_TOKENIZER_TOKENIZER_FILE_H
#define GG_IO_TOKENIZER_TOKENIZER_FILE_H

#include "core/text/tokenizer.h"

/* Reads a tokenizer of any form. GG_STORAGE: missing or unreadable; GG_BAD_DATA: not a tokenizer we can use.
 * The message names the file and the field or line. */
gg_status gg_tokenizer_load(const char *path, gg_tokenizer **tokenizer) GG_MUST_USE;

/* The same, for callers who can go on without a tokenizer.
 *   other_kind [out] GG_BAD_DATA because of what this program does not have (another model than byte-level BPE,
 *                    a normalizer, pre-tokenizer or pattern of another kind ...); nothing is wrong with the file */
gg_status gg_tokenizer_load_known(const char *path, bool *other_kind, gg_tokenizer **tokenizer) GG_MUST_USE;

/* Reads the text of a tokenizer.json.
 *   name_for_messages [in] where the text comes from */
gg_status gg_tokenizer_from_json(const char *json, size_t bytes, const char *name_for_messages,
                                 gg_tokenizer **tokenizer) GG_MUST_USE;

/* The text of a tokenizer.json that gg_tokenizer_from_json and the Hugging Face tokenizers library read back
 * to the same tokenizer; owned by the caller (free), NUL-terminated. NULL with gg_failure() when a special
 * token is not UTF-8, which JSON cannot hold. */
char *gg_tokenizer_to_json(const gg_tokenizer *tokenizer, size_t *bytes);

/* Writes a tokenizer.json that appears under its name only when it is whole. */
gg_status gg_tokenizer_save(const gg_tokenizer *tokenizer, const char *path) GG_MUST_USE;

#endif
