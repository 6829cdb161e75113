/* Unicode's Normal Form C (The Unicode Standard, annex 15), by utf8proc. Bytes that are not UTF-8 stay as they
 * are, and the text on either side of them is normalised by itself. All local.
 */
#ifndef GG_CORE_TEXT_NORMAL_FORM_H
#define GG_CORE_TEXT_NORMAL_FORM_H

#include "core/text/growing_text.h"

/* Appends a text's NFC. GG_RESOURCE: no memory. */
gg_status gg_normal_form(const char *text, size_t bytes, struct gg_text *normal) GG_MUST_USE;

/* Where a text may be cut so that the NFC of the parts is that of the whole: the first such place at or behind
 * `from` (> 0); `bytes` when there is none. */
size_t gg_normal_form_cut(const char *text, size_t bytes, size_t from);

/* The last such place before the end, for a text that goes on there: 0 when there is none. */
size_t gg_normal_form_last_cut(const char *text, size_t bytes);

#endif
