/* Cleaning of text before it is tokenized: invalid UTF-8, line ends, control characters, normal form.
 *
 * In this order:
 *   - bytes that are not well-formed UTF-8 are refused, or each maximal subpart of them becomes U+FFFD (The
 *     Unicode Standard, section 3.9, "U+FFFD Substitution of Maximal Subparts");
 *   - unless control characters are kept, CR LF and a lone CR become LF, and of the control characters
 *     U+0000..U+001F and U+007F..U+009F only tab and line feed stay;
 *   - where wanted, the text is brought to Unicode's Normal Form C by utf8proc.
 * Local.
 */
#ifndef GG_CORE_TEXT_CLEAN_H
#define GG_CORE_TEXT_CLEAN_H

#include "core/base/status.h"
#include "core/text/growing_text.h"

#include <stdbool.h>
#include <stddef.h>

struct gg_clean_rules {
    bool replace_invalid; /* false: refuse */
    bool keep_controls;
    bool nfc;
};

/* Appends the cleaned text to `clean`.
 *   invalid_at [out] on GG_BAD_DATA: the byte of `text` where it stops being UTF-8
 * GG_BAD_DATA: invalid UTF-8 that is not to be replaced; the message leaves file and place to the caller.
 * GG_RESOURCE: no memory. */
gg_status gg_clean(const struct gg_clean_rules *rules, const char *text, size_t bytes, struct gg_text *clean,
                   size_t *invalid_at) GG_MUST_USE;

/* Where a text that goes on behind `bytes` may be cut in two so that cleaning and tokenizing the parts gives
 * the same as the whole: before a space between ASCII letters, as far behind as possible in the second half;
 * or, for want of one, behind a line feed between a character that is no white space and a letter (both the same
 * tokens for the patterns of GPT-2, Qwen and Llama 3), or before one behind a character that is no white space
 * (the same for GPT-2's); or else before a character.
 * Always in [1, bytes]; a pure function of the text. */
size_t gg_safe_cut(const char *text, size_t bytes);

/* Where to cut a text near `at` (0 < at < bytes): behind the last line feed before, or else behind the first
 * one from there on that does not end the text, or else at gg_safe_cut(text, at). */
size_t gg_line_cut(const char *text, size_t bytes, size_t at);

#endif
