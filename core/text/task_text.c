#include "core/text/task_text.h"

#include "core/text/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

/* str.isspace(): of Unicode's bidirectional types WS, B and S, or a space separator. */
static bool is_space(uint32_t code) {
    return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 || code == 0xA0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Length of the white space at text[0], which may be none: 0. */
static size_t space_at(const char *text, size_t bytes) {
    uint32_t code;
    const size_t length = bytes > 0 ? gg_utf8_decode(text, bytes, &code) : 0;
    return length > 0 && is_space(code) ? length : 0;
}

size_t gg_trailing_space(const char *text, size_t bytes) {
    size_t end = bytes;
    while (end > 0) {
        size_t begin = end - 1;
        while (begin > 0 && end - begin < GG_UTF8_MAX_BYTES && ((unsigned char)text[begin] & 0xC0) == 0x80)
            begin--;
        if (space_at(text + begin, end - begin) != end - begin)
            break;
        end = begin;
    }
    return bytes - end;
}

int64_t gg_text_characters(const char *text, size_t bytes) {
    int64_t characters = 0;
    for (size_t at = 0; at < bytes; characters++) {
        uint32_t code;
        const size_t length = gg_utf8_decode(text + at, bytes - at, &code);
        at += length > 0 ? length : 1;
    }
    return characters;
}

/* Appends a text with one string in another's place. */
static gg_status replace(const struct gg_text *text, const char *old, const char *new, struct gg_text *out) {
    const size_t length = strlen(old);
    size_t at = 0;
    if (text->count == 0) /* there may be no bytes to point to */
        return GG_OK;
    while (at < text->count) {
        const char *begin = text->bytes + at, *found = memmem(begin, text->count - at, old, length);
        if (found == NULL)
            break;
        GG_TRY(gg_text_append(out, begin, (size_t)(found - begin)));
        GG_TRY(gg_text_append(out, new, strlen(new)));
        at = (size_t)(found - text->bytes) + length;
    }
    return gg_text_append(out, text->bytes + at, text->count - at);
}

/* Length of a pair of brackets at text[0] and what is between them on one line; 0: none closes. */
static size_t bracket_at(const char *text, size_t bytes) {
    for (size_t i = 1; text[0] == '[' && i < bytes && text[i] != '\n'; i++)
        if (text[i] == ']')
            return i + 1;
    return 0;
}

static gg_status drop_brackets(const struct gg_text *text, struct gg_text *out) {
    size_t kept = 0;
    if (text->count == 0)
        return GG_OK;
    for (size_t at = 0; at < text->count;) {
        const size_t length = bracket_at(text->bytes + at, text->count - at);
        if (length > 0) {
            GG_TRY(gg_text_append(out, text->bytes + kept, at - kept));
            kept = at + length;
        }
        at += length > 0 ? length : 1;
    }
    return gg_text_append(out, text->bytes + kept, text->count - kept);
}

gg_status gg_hellaswag_clean(const char *text, size_t bytes, struct gg_text *clean) {
    struct gg_text stripped = {0}, titled = {0}, plain = {0};
    for (size_t length; (length = space_at(text, bytes)) > 0; bytes -= length)
        text += length;
    gg_status status = gg_text_append(&stripped, text, bytes - gg_trailing_space(text, bytes));
    if (status == GG_OK)
        status = replace(&stripped, " [title]", ". ", &titled);
    if (status == GG_OK)
        status = drop_brackets(&titled, &plain);
    if (status == GG_OK)
        status = replace(&plain, "  ", " ", clean);
    gg_text_free(&stripped);
    gg_text_free(&titled);
    gg_text_free(&plain);
    return status;
}

gg_status gg_text_capitalize(const char *text, size_t bytes, struct gg_text *out) {
    for (size_t at = 0; at < bytes;) {
        uint32_t code;
        char mapped[GG_UTF8_MAX_BYTES];
        const size_t length = gg_utf8_decode(text + at, bytes - at, &code);
        if (length == 0) {
            GG_TRY(gg_text_append(out, text + at++, 1));
            continue;
        }
        const utf8proc_int32_t other =
            at == 0 ? utf8proc_totitle((utf8proc_int32_t)code) : utf8proc_tolower((utf8proc_int32_t)code);
        GG_TRY(gg_text_append(out, mapped, gg_utf8_encode((uint32_t)other, mapped)));
        at += length;
    }
    return GG_OK;
}
