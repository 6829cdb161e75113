/* Takes the text out of a JSONL line. */
#include "io/corpus/document_reader.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The value of four hexadecimal digits behind "\u", or -1. */
static int escape_at(const char *text, size_t bytes) {
    int value = 0;
    if (bytes < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        const char c = text[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Turns escaped surrogates without a partner into \ufffd, in place. */
static void replace_lone_surrogates(char *text, size_t bytes) {
    for (size_t i = 0; i + 1 < bytes; i++) {
        if (text[i] != '\\')
            continue;
        const int value = escape_at(text + i, bytes - i);
        if (value < 0) {
            i++; /* the escaped character; it may be a backslash */
            continue;
        }
        const int next = escape_at(text + i + 6 < text + bytes ? text + i + 6 : text, bytes - i - 6);
        if (value >= 0xD800 && value < 0xDC00 && next >= 0xDC00 && next < 0xE000)
            i += 11;
        else if (value >= 0xD800 && value < 0xE000)
            memcpy(text + i + 2, "fffd", 4);
    }
}

/* Makes what can be made of a line that jansson does not take. */
static gg_status repair(const struct gg_text_unit *unit, struct gg_text *line) {
    static const struct gg_clean_rules rules = {.replace_invalid = true, .keep_controls = true};
    size_t invalid_at;
    GG_TRY(gg_clean(&rules, unit->bytes, unit->count, line, &invalid_at));
    replace_lone_surrogates(line->bytes, line->count);
    return GG_OK;
}

static gg_status take_field(const char *path, const struct gg_text_unit *unit, const json_t *object,
                            const char *field, struct gg_text *text) {
    if (!json_is_object(object))
        return gg_fail(GG_BAD_DATA, "%s: line %" PRId64 " is not a JSON object", path, unit->line);
    const json_t *value = json_object_get(object, field);
    if (value == NULL)
        return gg_fail(GG_BAD_DATA, "%s: line %" PRId64 " has no member '%s' (--field names it)", path,
                       unit->line, field);
    if (!json_is_string(value))
        return gg_fail(GG_BAD_DATA, "%s: line %" PRId64 ": '%s' is not a string", path, unit->line, field);
    return gg_text_append(text, json_string_value(value), json_string_length(value));
}

gg_status gg_invalid_utf8(const char *path, int64_t offset) {
    return gg_fail(GG_BAD_DATA, "%s: invalid UTF-8 at byte %" PRId64 "; --invalid replace puts U+FFFD there",
                   path, offset);
}

/* Says what is wrong with a line that is not JSON: first of all that it is not UTF-8, where it is not. */
static gg_status refuse_line(const char *path, const struct gg_text_unit *unit,
                             const struct gg_clean_rules *rules, const json_error_t *error) {
    size_t invalid_at = 0;
    struct gg_text clean = {0};
    const gg_status status = gg_clean(rules, unit->bytes, unit->count, &clean, &invalid_at);
    gg_text_free(&clean);
    if (status == GG_BAD_DATA)
        return gg_invalid_utf8(path, unit->offset + (int64_t)invalid_at);
    GG_TRY(status);
    return gg_fail(GG_BAD_DATA, "%s: line %" PRId64 " (byte %" PRId64 " of the file) is not JSON: %s", path,
                   unit->line, unit->offset + error->position, error->text);
}

gg_status gg_json_text(const char *path, const struct gg_text_unit *unit, const char *field,
                       const struct gg_clean_rules *rules, struct gg_text *text) {
    json_error_t error;
    json_t *object = json_loadb(unit->bytes, unit->count, JSON_ALLOW_NUL, &error);
    if (object == NULL && rules->replace_invalid) {
        struct gg_text line = {0};
        const gg_status status = repair(unit, &line);
        if (status == GG_OK)
            object = json_loadb(line.bytes, line.count, JSON_ALLOW_NUL, &error);
        gg_text_free(&line);
        GG_TRY(status);
    }
    if (object == NULL)
        return refuse_line(path, unit, rules, &error);
    const gg_status status = take_field(path, unit, object, field, text);
    json_decref(object);
    return status;
}
