#include "core/text/byte_alphabet.h"

#include "core/text/utf8.h"

/* The printable bytes are '!' to '~', U+00A1 to U+00AC and U+00AE to U+00FF. */
enum { ASCII_COUNT = 94, LOW_COUNT = 12, HIGH_COUNT = 82, PRINTABLE = ASCII_COUNT + LOW_COUNT + HIGH_COUNT };
enum { ASCII_FIRST = 0x21, LOW_FIRST = 0xA1, HIGH_FIRST = 0xAE };
/* The others: 0x00 to 0x20, 0x7F to 0xA0, 0xAD. */
enum { CONTROL_COUNT = 0x21, MIDDLE_COUNT = 0x22, MIDDLE_FIRST = 0x7F, SOFT_HYPHEN = 0xAD, ALPHABET = 256 };

unsigned char gg_alphabet_byte(size_t index) {
    if (index < ASCII_COUNT)
        return (unsigned char)(ASCII_FIRST + index);
    if (index < ASCII_COUNT + LOW_COUNT)
        return (unsigned char)(LOW_FIRST + index - ASCII_COUNT);
    if (index < PRINTABLE)
        return (unsigned char)(HIGH_FIRST + index - ASCII_COUNT - LOW_COUNT);
    const size_t other = index - PRINTABLE;
    if (other < CONTROL_COUNT)
        return (unsigned char)other;
    if (other < CONTROL_COUNT + MIDDLE_COUNT)
        return (unsigned char)(MIDDLE_FIRST + other - CONTROL_COUNT);
    return SOFT_HYPHEN;
}

static uint32_t stand_in(unsigned char byte) {
    if (byte < CONTROL_COUNT)
        return ALPHABET + (uint32_t)byte;
    if (byte >= MIDDLE_FIRST && byte < MIDDLE_FIRST + MIDDLE_COUNT)
        return ALPHABET + CONTROL_COUNT + (uint32_t)(byte - MIDDLE_FIRST);
    return byte == SOFT_HYPHEN ? ALPHABET + CONTROL_COUNT + MIDDLE_COUNT : byte;
}

size_t gg_alphabet_encode(const char *bytes, size_t length, char *text) {
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        char character[GG_UTF8_MAX_BYTES];
        const size_t size = gg_utf8_encode(stand_in((unsigned char)bytes[i]), character);
        for (size_t j = 0; j < size; j++)
            text[written++] = character[j];
    }
    return written;
}

bool gg_alphabet_decode(const char *text, size_t length, char *bytes, size_t *byte_count) {
    *byte_count = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        const size_t size = gg_utf8_decode(text + at, length - at, &code);
        if (size == 0 || code >= ALPHABET + ALPHABET - PRINTABLE)
            return false;
        const unsigned char byte =
            code < ALPHABET ? (unsigned char)code : gg_alphabet_byte(PRINTABLE + code - ALPHABET);
        if (stand_in(byte) != code)
            return false;
        bytes[(*byte_count)++] = (char)byte;
        at += size;
    }
    return true;
}
