#include "core/text/normal_form.h"

#include "core/text/utf8.h"

#include <stdlib.h>
#include <utf8proc.h>

/* Whether a character neither composes with one before it nor changes places with it. Whatever does is a mark,
 * or one of the Hangul vowels and trailing consonants, which compose with the syllable's beginning. */
static bool begins_anew(uint32_t code) {
    if (code < 0x300)
        return true;
    if (code >= 0x1160 && code < 0x1200)
        return false;
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC &&
           category != UTF8PROC_CATEGORY_ME;
}

/* Appends the NFC of well-formed UTF-8. */
static gg_status append(const char *text, size_t bytes, struct gg_text *normal) {
    utf8proc_uint8_t *mapped = NULL;
    const utf8proc_ssize_t length = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes,
                                                 &mapped, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (length < 0)
        return gg_fail(GG_RESOURCE, "Unicode normalisation: %s", utf8proc_errmsg(length));
    const gg_status status = gg_text_append(normal, (const char *)mapped, (size_t)length);
    free(mapped);
    return status;
}

/* End of the stretch of one kind, characters or stray bytes, that begins at `at`: before an ASCII character,
 * which composes with nothing before it, once the stretch is long.
 *   may_change [out] there is a byte from 0xCC on; without one (U+0300 and above) it is in NFC already */
static size_t stretch_end(const char *text, size_t bytes, size_t at, bool *may_change) {
    enum { LONG_BYTES = 65536 };
    const size_t begin = at;
    uint32_t code;
    const bool stray = gg_utf8_decode(text + at, bytes - at, &code) == 0;
    *may_change = false;
    while (at < bytes && (at - begin < LONG_BYTES || (text[at] & 0x80) != 0)) {
        if ((text[at] & 0x80) == 0 && !stray) {
            at++;
            continue;
        }
        const size_t length = gg_utf8_decode(text + at, bytes - at, &code);
        if ((length == 0) != stray)
            break;
        *may_change |= !stray && (unsigned char)text[at] >= 0xCC;
        at += stray ? 1 : length;
    }
    return at;
}

gg_status gg_normal_form(const char *text, size_t bytes, struct gg_text *normal) {
    for (size_t begin = 0, end; begin < bytes; begin = end) {
        bool may_change;
        end = stretch_end(text, bytes, begin, &may_change);
        if (may_change)
            GG_TRY(append(text + begin, end - begin, normal));
        else
            GG_TRY(gg_text_append(normal, text + begin, end - begin));
    }
    return GG_OK;
}

/* Whether a text may be cut before the byte at `at`; a byte inside a character is no such place, a stray one
 * is. */
static bool is_cut(const char *text, size_t bytes, size_t at) {
    uint32_t code;
    if (gg_utf8_decode(text + at, bytes - at, &code) > 0)
        return begins_anew(code);
    for (size_t back = 1; back < GG_UTF8_MAX_BYTES && back <= at; back++)
        if (gg_utf8_decode(text + at - back, bytes - at + back, &code) > back)
            return false;
    return true;
}

size_t gg_normal_form_cut(const char *text, size_t bytes, size_t from) {
    while (from < bytes && !is_cut(text, bytes, from))
        from++;
    return from;
}

size_t gg_normal_form_last_cut(const char *text, size_t bytes) {
    /* The last bytes may be a character that is not all there. */
    size_t at = bytes;
    while (at > 0) {
        at--;
        uint32_t code;
        if (gg_utf8_decode(text + at, bytes - at, &code) > 0
                ? begins_anew(code)
                : bytes - at >= GG_UTF8_MAX_BYTES && is_cut(text, bytes, at))
            return at;
    }
    return 0;
}
