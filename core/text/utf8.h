/* UTF-8 as Unicode defines it (The Unicode Standard, table 3-7): no overlong forms, no surrogates, nothing
 * above U+10FFFF. All local.
 */
#ifndef GG_CORE_TEXT_UTF8_H
#define GG_CORE_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { GG_UTF8_MAX_BYTES = 4 };

/* Length in bytes of the well-formed character that begins at text[0], its code point in *code; 0 when none
 * begins there or it is cut off by the end. `bytes` > 0. */
static inline size_t gg_utf8_decode(const char *text, size_t bytes, uint32_t *code) {
    const unsigned char *t = (const unsigned char *)text;
    const unsigned char lead = t[0];
    if (lead < 0x80) {
        *code = lead;
        return 1;
    }
    const size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || length > bytes)
        return 0;
    uint32_t value = (uint32_t)lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((t[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (t[i] & 0x3Fu);
    }
    if ((length == 3 && (value < 0x800 || (value >= 0xD800 && value < 0xE000))) ||
        (length == 4 && (value < 0x10000 || value > 0x10FFFF)))
        return 0;
    *code = value;
    return length;
}

/* Writes the UTF-8 of a code point below U+110000; returns its length. */
static inline size_t gg_utf8_encode(uint32_t code, char out[GG_UTF8_MAX_BYTES]) {
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (length == 1) {
        out[0] = (char)code;
        return 1;
    }
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((0xF00u >> length & 0xF0u) | code);
    return length;
}

#endif
