/* Cuts text into the words that BPE merges within, by a pattern. GPT-2's own pattern goes to the scanner of
 * core/text/gpt2_scanner.h, every other one to PCRE2 (UTF and UCP mode, JIT where there is one).
 *
 * Under such another pattern, text between two matches is a word, and so is each stretch of bytes that are
 * not UTF-8; the text on either side of that stretch is matched by itself. \s and \S mean the Unicode
 * property White_Space, as they do for the tokenizers that such patterns are written for.
 *
 * A pretokenizer is immutable; a word scanner (the scratch of one thread) is not. All local.
 */
#ifndef GG_CORE_TEXT_PRETOKENIZER_H
#define GG_CORE_TEXT_PRETOKENIZER_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct gg_pretokenizer gg_pretokenizer;
typedef struct gg_word_scanner gg_word_scanner;

/* GG_BAD_DATA: a pattern that does not compile, that means something else elsewhere (an escape of one regular
 * expression dialect only), or that looks at text before the word (^, \b, lookbehind): such words could not
 * be found in a stream. The message quotes the pattern. */
gg_status gg_pretokenizer_create(const char *pattern, gg_pretokenizer **pretokenizer) GG_MUST_USE;
void gg_pretokenizer_destroy(gg_pretokenizer **pretokenizer);

/* The scanner refers to the pretokenizer, which must live longer. */
gg_status gg_word_scanner_create(const gg_pretokenizer *pretokenizer, gg_word_scanner **scanner) GG_MUST_USE;
void gg_word_scanner_destroy(gg_word_scanner **scanner);

/* Begins another text: to be called before gg_word_end whenever the bytes at `text` may have changed. */
void gg_word_scanner_reset(gg_word_scanner *scanner);

/* Where the word that begins at text[begin] ends; begin < end, and a word begins at `begin`.
 *   last     [in]  the text ends at `end`; otherwise more bytes will follow
 *   word_end [out] `begin` when bytes that are yet to come could change the word; never when `last`
 * GG_BAD_DATA: PCRE2 gave up (the pattern backtracks too much on this text). */
gg_status gg_word_end(gg_word_scanner *scanner, const char *text, size_t begin, size_t end, bool last,
                      size_t *word_end) GG_MUST_USE;

#endif
