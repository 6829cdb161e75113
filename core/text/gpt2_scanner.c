#include "core/text/gpt2_scanner.h"

#include "core/text/utf8.h"

#include <string.h>
#include <utf8proc.h>

enum char_class { REST, LETTER, NUMBER, SPACE, WIDE };

/* Bytes from 0x80 on are WIDE: part of a longer character, or of none. */
#define R   REST
#define L   LETTER
#define N   NUMBER
#define S   SPACE
#define W   WIDE
#define W16 W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W
static const unsigned char byte_class[256] = {
    R,   R,   R,   R,   R,   R,   R,   R,   R, S, S, S, S, S, R, R, /* 00 */
    R,   R,   R,   R,   R,   R,   R,   R,   R, R, R, R, R, R, R, R, /* 10 */
    S,   R,   R,   R,   R,   R,   R,   R,   R, R, R, R, R, R, R, R, /* 20 */
    N,   N,   N,   N,   N,   N,   N,   N,   N, N, R, R, R, R, R, R, /* 30 */
    R,   L,   L,   L,   L,   L,   L,   L,   L, L, L, L, L, L, L, L, /* 40 */
    L,   L,   L,   L,   L,   L,   L,   L,   L, L, L, R, R, R, R, R, /* 50 */
    R,   L,   L,   L,   L,   L,   L,   L,   L, L, L, L, L, L, L, L, /* 60 */
    L,   L,   L,   L,   L,   L,   L,   L,   L, L, L, R, R, R, R, R, /* 70 */
    W16, W16, W16, W16, W16, W16, W16, W16,
};
#undef R
#undef L
#undef N
#undef S
#undef W
#undef W16

static bool is_wide_space(uint32_t code) {
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Class and length of the character at text[at]. */
static enum char_class class_at(const char *text, size_t at, size_t end, size_t *length) {
    const enum char_class simple = byte_class[(unsigned char)text[at]];
    *length = 1;
    if (simple != WIDE)
        return simple;
    uint32_t code;
    const size_t wide = gg_utf8_decode(text + at, end - at, &code);
    if (wide == 0)
        return REST;
    *length = wide;
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO)
        return LETTER;
    if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO)
        return NUMBER;
    return is_wide_space(code) ? SPACE : REST;
}

/* End of the run of `wanted` that reaches up to `at`; *final is where its last character begins. */
static size_t run_end(const char *text, size_t at, size_t end, enum char_class wanted, size_t *final) {
    for (;;) {
        const size_t begin = at;
        while (at < end && byte_class[(unsigned char)text[at]] == wanted)
            at++;
        if (at > begin)
            *final = at - 1;
        size_t length;
        if (at == end || byte_class[(unsigned char)text[at]] != WIDE ||
            class_at(text, at, end, &length) != wanted)
            return at;
        *final = at;
        at += length;
    }
}

/* Length of 's 't 're 've 'm 'll 'd at text, which begins with an apostrophe; else 0. */
static size_t contraction(const char *text, size_t bytes) {
    const char first = bytes > 1 ? text[1] : '\0', second = bytes > 2 ? text[2] : '\0';
    if (first == 's' || first == 't' || first == 'm' || first == 'd')
        return 2;
    if ((second == 'e' && (first == 'r' || first == 'v')) || (second == 'l' && first == 'l'))
        return 3;
    return 0;
}

/* Whether a word is certain depends on how far the scanner looked: a run stops at the character at `stop`,
 * of which it may have seen up to GG_UTF8_MAX_BYTES bytes. When all of these are there, no later byte can
 * change the outcome. A contraction looks at three bytes, fewer than that. */
size_t gg_gpt2_word_end(const char *text, size_t begin, size_t end, bool last) {
    if (!last && end - begin < GG_UTF8_MAX_BYTES)
        return begin;
    if (text[begin] == '\'') {
        const size_t length = contraction(text + begin, end - begin);
        if (length > 0)
            return begin + length;
    }
    size_t length, at = begin;
    enum char_class wanted = class_at(text, at, end, &length);
    if (text[at] == ' ' && at + 1 < end) {
        size_t second_length;
        const enum char_class second = class_at(text, at + 1, end, &second_length);
        if (second != SPACE) {
            at++;
            wanted = second;
            length = second_length;
        }
    }
    size_t final = at;
    const size_t stop = run_end(text, at + length, end, wanted, &final);
    if (!last && end - stop < GG_UTF8_MAX_BYTES)
        return begin;
    /* White space before a word leaves its last character to that word: \s+(?!\S). */
    if (wanted == SPACE && stop < end && final > begin)
        return final;
    return stop;
}
