/* GPT-2's pre-tokenization pattern (GG_PATTERN_GPT2) as a hand-written scanner.
 *
 * Characters have one of four classes: letters (general category L), numbers (N), white space (the Unicode
 * property White_Space) and the rest. Categories are those of the utf8proc library. A byte that begins no
 * well-formed UTF-8 character is a character of the rest by itself, so that every byte string has words.
 *
 * PCRE2 cuts the same text into the same words, save for the code points that only the newer of the two
 * libraries' Unicode versions assigns, and U+180E, which PCRE2's \s holds for white space and Unicode
 * does not. All local.
 */
#ifndef GG_CORE_TEXT_GPT2_SCANNER_H
#define GG_CORE_TEXT_GPT2_SCANNER_H

#include <stdbool.h>
#include <stddef.h>

/* Where the word that begins at text[begin] ends; begin < end.
 *   text, end [in]  the text up to text[end - 1]
 *   last      [in]  the text ends there; otherwise more bytes will follow
 * Returns `begin` when bytes that are yet to come could change the word; never when `last`. */
size_t gg_gpt2_word_end(const char *text, size_t begin, size_t end, bool last);

#endif
