/* Puts placeholders where a text has what may tell of a person.
 *
 *   <EMAIL>  local part, @, a domain of two labels or more whose last one is letters. Letters that have no case
 *            (ideographs, Arabic) end an address: they may be the sentence around it.
 *   <CARD>   13 to 19 digits, the first 2 to 6, in one piece, in fours, or 4-6-5 or 4-6-4 with one kind of space
 *            or hyphen between, whose last digit is right (Luhn; ISO/IEC 7812-1). ISBN-13 begins with 9.
 *   <IP>     IPv4: four numbers up to 255 without leading zeros. A version with four numbers looks the same: it
 *            stays only where "version", "ver", "release" or "v" stands before, or a letter, digit, dot or
 *            hyphen touches it (1.2.3.4.5, v1.2.3.4, foo-1.2.3.4).
 *            IPv6: eight groups, or :: for some (RFC 4291, section 2.2), with a digit and a group of three or
 *            more: 12:34:56, a::b, [1::2] and ::1 stay.
 *   <PHONE>  + and 8 to 15 digits (ITU-T E.164), or North American: (212) 555-0123, 212-555-0123, 212.555.0123,
 *            also behind 1 and a space or the like. Spaces, hyphens, dots, slashes and parentheses may stand
 *            between digits of the first. Numbers without + and in no such form stay, as dates do.
 *
 * The text must be UTF-8 and stays it; digits are ASCII's. The time grows with the text's length alone. Local.
 */
#ifndef GG_CORE_TEXT_PII_H
#define GG_CORE_TEXT_PII_H

#include "core/text/growing_text.h"

#include <stdint.h>

enum gg_pii { GG_PII_EMAIL, GG_PII_PHONE, GG_PII_CARD, GG_PII_IP, GG_PII_KINDS };

/* Appends the text with its placeholders to `masked`.
 *   counts [in,out] grow by how many of each kind there are
 * GG_RESOURCE: no memory. */
gg_status gg_pii_mask(const char *text, size_t bytes, struct gg_text *masked,
                      uint32_t counts[GG_PII_KINDS]) GG_MUST_USE;

#endif
