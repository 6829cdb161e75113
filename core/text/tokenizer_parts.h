/* What a tokenizer is made of: a vocabulary, merges, a pattern.
 */
#ifndef GG_CORE_TEXT_TOKENIZER_PARTS_H
#define GG_CORE_TEXT_TOKENIZER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More entries than any vocabulary has. */
#define GG_VOCABULARY_MAX ((size_t)1 << 22)

/* GPT-2's pre-tokenization pattern (encoder.py, openai/gpt-2). */
#define GG_PATTERN_GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* Those of Qwen 2 and 3 (which takes digits one by one), and of Llama 3 (which takes up to three). */
#define GG_PATTERN_QWEN                                                                                      \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"      \
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define GG_PATTERN_LLAMA3                                                                                    \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" \
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

struct gg_vocabulary_entry {
    const char *bytes; /* the token's raw bytes; not NUL-terminated */
    uint32_t length;
    bool special; /* matched whole in text, before the pattern; never merged */
    bool always;  /* a special one that is matched also where special tokens do not count as such */
    bool begins;  /* the special one that stands before a text where special tokens are added, which is never
                     done here: kept for the programs that a tokenizer is handed on to; at most one */
};
struct gg_merge {
    uint32_t left, right, merged; /* token ids; rank = index */
};
struct gg_tokenizer_parts {
    const struct gg_vocabulary_entry *entries; /* index = id; length 0: a hole, an id never produced */
    size_t entry_count;
    const struct gg_merge *merges; /* in rank order */
    size_t merge_count;
    const char *pattern; /* PCRE2 syntax, UTF mode; NULL: GG_PATTERN_GPT2 */
    bool nfc;            /* text is brought to Unicode's Normal Form C before the pattern (as Qwen's is) */
    bool whole_words;    /* a word that is an entry of the vocabulary is that token, whatever the merges make
                            of it (Llama 3's; tokenizer.json: ignore_merges) */
};

#endif
