#include "io/base/json_lines.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

static gg_status take_line(const char *text, size_t bytes, int64_t line,
                           gg_status (*take)(void *, const json_t *, int64_t), void *context) {
    json_error_t error;
    json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL)
        return gg_fail(GG_BAD_DATA, "is not JSON: column %d: %s", error.column, error.text);
    const gg_status status =
        json_is_object(value) ? take(context, value, line)
                              : gg_fail(GG_BAD_DATA, "is no JSON object; a line is {\"name\": VALUE, ...}");
    json_decref(value);
    return status;
}

gg_status gg_json_lines(const char *path, const char *data, size_t bytes,
                        gg_status (*take)(void *context, const json_t *object, int64_t line), void *context) {
    int64_t line = 0;
    bool any = false;
    for (size_t at = 0, length; at < bytes; at += length + 1) {
        const char *begin = data + at, *end = memchr(begin, '\n', bytes - at);
        length = end != NULL ? (size_t)(end - begin) : bytes - at;
        line++;
        if (is_blank(begin, length))
            continue;
        any = true;
        const gg_status status = take_line(begin, length, line, take, context);
        if (status != GG_OK)
            return gg_fail_within(status, "%s: line %lld", path, (long long)line);
    }
    return any ? GG_OK : gg_fail(GG_BAD_DATA, "%s: holds no line; a line is a JSON object", path);
}
