/* Cleaning: the first byte gives the rules. What comes out is UTF-8, has no control characters, and is as
 * clean as can be; a text cut where gg_safe_cut says is cleaned to the same. */
#include "core/text/clean.h"
#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

/* The character at the front of a text, as another library sees it; the length, or < 0 when it is none. */
static utf8proc_ssize_t decode(const char *text, size_t bytes, utf8proc_int32_t *code) {
    return utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, code);
}

static void check_clean(const struct gg_clean_rules *rules, const struct gg_text *clean) {
    utf8proc_int32_t code;
    for (size_t at = 0; at < clean->count;) {
        const utf8proc_ssize_t length = decode(clean->bytes + at, clean->count - at, &code);
        GG_ASSERT(length > 0);
        const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        GG_ASSERT(rules->keep_controls || !control || code == '\t' || code == '\n');
        at += (size_t)length;
    }
    struct gg_text again = {0};
    size_t invalid_at;
    GG_ASSERT(gg_clean(rules, clean->bytes, clean->count, &again, &invalid_at) == GG_OK);
    GG_ASSERT(again.count == clean->count);
    GG_ASSERT(clean->count == 0 || memcmp(again.bytes, clean->bytes, clean->count) == 0);
    gg_text_free(&again);
}

static void check_cuts(const struct gg_clean_rules *rules, const char *text, size_t bytes,
                       const struct gg_text *clean) {
    const size_t cut = gg_safe_cut(text, bytes);
    GG_ASSERT(cut >= 1 && cut <= bytes);
    if (bytes > 1) {
        const size_t line = gg_line_cut(text, bytes, 1 + (unsigned char)text[0] % (bytes - 1));
        GG_ASSERT(line >= 1 && line < bytes);
    }
    /* Where there is nothing better, it cuts before a character, and a combining one may stand there. */
    if (cut == bytes || !isascii(text[cut]))
        return;
    struct gg_text parts = {0};
    size_t invalid_at;
    GG_ASSERT(gg_clean(rules, text, cut, &parts, &invalid_at) == GG_OK);
    GG_ASSERT(gg_clean(rules, text + cut, bytes - cut, &parts, &invalid_at) == GG_OK);
    GG_ASSERT(parts.count == clean->count);
    GG_ASSERT(parts.count == 0 || memcmp(parts.bytes, clean->bytes, parts.count) == 0);
    gg_text_free(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2)
        return 0;
    const struct gg_clean_rules rules = {.replace_invalid = (data[0] & 1) == 0,
                                         .keep_controls = (data[0] & 2) != 0,
                                         .nfc = (data[0] & 4) == 0};
    const char *text = (const char *)data + 1;
    bytes--;
    struct gg_text clean = {0};
    size_t invalid_at = 0;
    const gg_status status = gg_clean(&rules, text, bytes, &clean, &invalid_at);
    if (status == GG_OK) {
        check_clean(&rules, &clean);
        check_cuts(&rules, text, bytes, &clean);
    } else {
        utf8proc_int32_t code;
        GG_ASSERT(status == GG_BAD_DATA && !rules.replace_invalid && invalid_at < bytes);
        GG_ASSERT(decode(text + invalid_at, bytes - invalid_at, &code) < 0);
    }
    gg_text_free(&clean);
    return 0;
}
