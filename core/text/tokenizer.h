/* Byte-level BPE tokenizers as GPT-2 defines them (Radford et al. 2019, section 2.2): text is cut into words
 * by a pattern, and each word's bytes are merged by rank. Every byte string decodes back to itself, or to its
 * Normal Form C where the tokenizer asks for that.
 *
 * A tokenizer is immutable once made and may be shared by threads; an encoder (the caches and scratch of one
 * thread) may not. Files are io/tokenizer/tokenizer_file.h's business. All local.
 */
#ifndef GG_CORE_TEXT_TOKENIZER_H
#define GG_CORE_TEXT_TOKENIZER_H

#include "core/base/status.h"
#include "core/text/tokenizer_parts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GG_END_OF_TEXT "<|endoftext|>"

/* A longer word (a run of letters or spaces, say) is refused: merging takes 24 bytes of memory per byte. */
#define GG_WORD_MAX_BYTES ((size_t)16 << 20)

/* Describes the failure of a word of `bytes` bytes; returns GG_BAD_DATA. */
gg_status gg_fail_long_word(size_t bytes);

typedef struct gg_tokenizer gg_tokenizer;
typedef struct gg_encoder gg_encoder;

/* A growing array of token ids; zero it to begin, free with gg_ids_free. */
struct gg_ids {
    uint32_t *items;
    size_t count, capacity;
};
void gg_ids_free(struct gg_ids *ids);

/* Makes room for `more` items behind the first `count`. GG_RESOURCE: no memory. */
gg_status gg_ids_reserve(struct gg_ids *ids, size_t more) GG_MUST_USE;

/* Makes a tokenizer from its parts (copied). GG_BAD_DATA: a byte without a token, two tokens of the same
 * bytes, a merge of unknown tokens or of other bytes than it makes, a pair merged twice, a pattern that is
 * not supported (core/text/pretokenizer.h), no special token that ends a document; the message says which. */
gg_status gg_tokenizer_create(const struct gg_tokenizer_parts *parts, gg_tokenizer **tokenizer) GG_MUST_USE;

/* The same, for callers who tell damage from what is whole and only not supported.
 *   other_kind [out] GG_BAD_DATA because of a byte without a token, the pattern, or no token that ends a
 *                    document: a tokenizer of another kind may well be like that */
gg_status gg_tokenizer_create_known(const struct gg_tokenizer_parts *parts, bool *other_kind,
                                    gg_tokenizer **tokenizer) GG_MUST_USE;
void gg_tokenizer_destroy(gg_tokenizer **tokenizer);

/* The parts it was made of; valid as long as the tokenizer. */
struct gg_tokenizer_parts gg_tokenizer_parts(const gg_tokenizer *tokenizer);

/* Number of ids: the highest id + 1. */
int64_t gg_tokenizer_vocab(const gg_tokenizer *tokenizer);

/* Id of the special token that ends a document: <|endoftext|> (GPT-2, Qwen), or else <|end_of_text|> (Llama 3),
 * </s> or <eos>. */
uint32_t gg_tokenizer_end_of_text(const gg_tokenizer *tokenizer);

/* XXH3 (64 bits) of the entries, merges and pattern, written out in one way: equal exactly when two
 * tokenizers are the same, whichever file form they came from. */
uint64_t gg_tokenizer_fingerprint(const gg_tokenizer *tokenizer);

/* Id of the special token that stands before a text where special tokens are added; -1: none does. */
int64_t gg_tokenizer_begin_of_text(const gg_tokenizer *tokenizer);

/* Where the first special token at or behind text[from] begins, the longest where several do; `bytes` when
 * there is none.
 *   allow_special [in]  false: only those that are always matched
 *   id, length    [out] which one; unset when there is none */
size_t gg_tokenizer_find_special(const gg_tokenizer *tokenizer, const char *text, size_t bytes, size_t from,
                                 bool allow_special, uint32_t *id, size_t *length);

/* The id of a word that is an entry of the vocabulary, no special one, for tokenizers whose words go before
 * their merges; false when it is none, or the tokenizer is another one. */
bool gg_tokenizer_find_word(const gg_tokenizer *tokenizer, const char *word, size_t length, uint32_t *id);

/* For the encoder: the pattern, the merges, the ids of the 256 bytes. They live as long as the tokenizer. */
const struct gg_pretokenizer *gg_tokenizer_pretokenizer(const gg_tokenizer *tokenizer);
const struct gg_bpe *gg_tokenizer_bpe(const gg_tokenizer *tokenizer);
const uint32_t *gg_tokenizer_byte_ids(const gg_tokenizer *tokenizer);

/* An encoder keeps the ids of frequent words: 4 MiB, whatever the text. It refers to the tokenizer, which
 * must live longer. GG_RESOURCE: no memory. */
gg_status gg_encoder_create(const gg_tokenizer *tokenizer, gg_encoder **encoder) GG_MUST_USE;
void gg_encoder_destroy(gg_encoder **encoder);

/* Appends the ids of `text` to `ids`. Text that spells a special token encodes to ordinary ids unless
 * `allow_special` or the token is always matched. Bytes that are not UTF-8 are allowed and survive.
 * GG_BAD_DATA: a word longer than GG_WORD_MAX_BYTES, with its place; GG_RESOURCE: no memory for the ids. */
gg_status gg_encode(gg_encoder *encoder, const char *text, size_t bytes, bool allow_special,
                    struct gg_ids *ids) GG_MUST_USE;

/* The same for a text that comes in parts: encodes the words at the front of `text` that no further byte can
 * change, and leaves the rest to be given again with more behind it. The ids of all parts together are those
 * of the whole text, wherever it is cut.
 *   last     [in]  the text ends here: everything is encoded
 *   consumed [out] bytes encoded; 0 when a word, or what may become a special token, fills the whole part. On
 *                  failure where the word begins that cannot be encoded, which the message leaves to say */
gg_status gg_encode_part(gg_encoder *encoder, const char *text, size_t bytes, bool last, bool allow_special,
                         struct gg_ids *ids, size_t *consumed) GG_MUST_USE;

/* The bytes of one id (special tokens spell their name); NULL and 0 for an id out of range. */
const char *gg_token_bytes(const gg_tokenizer *tokenizer, uint32_t id, size_t *length);

#endif
