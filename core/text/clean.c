#include "core/text/clean.h"

#include "core/text/normal_form.h"
#include "core/text/utf8.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

/* Bytes at the front that are neither controls (but line feed and tab) nor above ASCII. */
static size_t plain_prefix(const unsigned char *t, size_t bytes) {
    size_t i = 0;
    while (i < bytes && t[i] < 0x7F && (t[i] >= 0x20 || t[i] == '\n' || t[i] == '\t'))
        i++;
    return i;
}

/* Length of the maximal subpart of an ill-formed sequence: the longest prefix that could begin a well-formed
 * one (table 3-7), at least one byte. */
static size_t maximal_subpart(const unsigned char *t, size_t bytes) {
    const unsigned char lead = t[0];
    const size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    unsigned char low = 0x80, high = 0xBF;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    size_t i = 1;
    for (; i < length && i < bytes && t[i] >= low && t[i] <= high; i++) {
        low = 0x80;
        high = 0xBF;
    }
    return i;
}

static bool is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

/* UTF-8 and controls; at most three bytes come out for each that goes in. */
static gg_status filter(const struct gg_clean_rules *rules, const char *text, size_t bytes,
                        struct gg_text *clean, size_t *invalid_at) {
    for (size_t i = 0; i < bytes;) {
        const size_t plain = plain_prefix((const unsigned char *)text + i, bytes - i);
        GG_TRY(gg_text_append(clean, text + i, plain));
        i += plain;
        if (i == bytes)
            break;
        uint32_t code = 0;
        size_t length = gg_utf8_decode(text + i, bytes - i, &code);
        if (length == 0) {
            if (!rules->replace_invalid) {
                *invalid_at = i;
                return gg_fail(GG_BAD_DATA, "invalid UTF-8");
            }
            length = maximal_subpart((const unsigned char *)text + i, bytes - i);
            GG_TRY(gg_text_append(clean, "\xEF\xBF\xBD", 3));
        } else if (rules->keep_controls || !is_control(code)) {
            GG_TRY(gg_text_append(clean, text + i, length));
        } else if (code == '\r' && !(i + 1 < bytes && text[i + 1] == '\n')) {
            GG_TRY(gg_text_append(clean, "\n", 1));
        }
        i += length;
    }
    return GG_OK;
}

gg_status gg_clean(const struct gg_clean_rules *rules, const char *text, size_t bytes, struct gg_text *clean,
                   size_t *invalid_at) {
    *invalid_at = 0;
    if (!rules->nfc)
        return filter(rules, text, bytes, clean, invalid_at);
    struct gg_text filtered = {0};
    gg_status status = filter(rules, text, bytes, &filtered, invalid_at);
    if (status == GG_OK)
        status = gg_normal_form(filtered.bytes, filtered.count, clean);
    gg_text_free(&filtered);
    return status;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Unicode's property White_Space. */
static bool is_white(uint32_t code) {
    return (code >= '\t' && code <= '\r') || code == ' ' || code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
           code == 0x205F || code == 0x3000;
}

/* Whether a line feed at text[at] stands between a character that is no white space and a letter. */
static bool ends_line(const char *text, size_t bytes, size_t at) {
    uint32_t before = ' ', behind = 0;
    size_t begin = at;
    while (begin > 0 && at - begin < GG_UTF8_MAX_BYTES && ((unsigned char)text[begin - 1] & 0xC0) == 0x80)
        begin--;
    if (begin == 0 || gg_utf8_decode(text + begin - 1, bytes - begin + 1, &before) != at - begin + 1 ||
        is_white(before) || gg_utf8_decode(text + at + 1, bytes - at - 1, &behind) == 0)
        return false;
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)behind);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

size_t gg_safe_cut(const char *text, size_t bytes) {
    GG_ASSERT(bytes >= 1);
    const size_t lowest = bytes / 2 > 1 ? bytes / 2 : 1;
    for (size_t i = bytes; i > lowest + 1; i--)
        if (is_letter(text[i - 1]) && text[i - 2] == ' ' && i >= 3 && is_letter(text[i - 3]))
            return i - 2;
    for (size_t i = bytes - 1; i > lowest; i--)
        if (text[i - 1] == '\n' && ends_line(text, bytes, i - 1))
            return i;
    for (size_t i = bytes; i > lowest + 1; i--)
        if (!is_space(text[i - 1]) && text[i - 2] == '\n' && i >= 3 && !is_space(text[i - 3]))
            return i - 2;
    /* Before a character, and not between CR and LF: a continuation byte or LF must not begin the rest. */
    for (size_t i = bytes; i > 1 && i + 4 > bytes; i--)
        if (((unsigned char)text[i - 1] & 0xC0) != 0x80 && text[i - 1] != '\n')
            return i - 1;
    return bytes;
}

size_t gg_line_cut(const char *text, size_t bytes, size_t at) {
    GG_ASSERT(at > 0 && at < bytes);
    for (size_t i = at; i > 0; i--)
        if (text[i - 1] == '\n')
            return i;
    const char *found = memchr(text + at, '\n', bytes - at);
    if (found != NULL && found + 1 < text + bytes)
        return (size_t)(found + 1 - text);
    return gg_safe_cut(text, at);
}
