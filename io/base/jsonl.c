#include "io/base/jsonl.h"

#include <stdbool.h>
#include <string.h>

static gg_status parse_line(const char *text, size_t bytes, int64_t line, gg_jsonl_take *take,
                            void *context) {
    json_error_t error;
    json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL)
        return gg_fail(GG_BAD_DATA, "is not JSON: column %d: %s", error.column, error.text);
    const gg_status status = take(context, value, line);
    json_decref(value);
    return status;
}

gg_status gg_jsonl_each(const char *path, const char *data, size_t bytes, gg_jsonl_take *take,
                        void *context) {
    int64_t line = 0;
    for (size_t at = 0, length; at < bytes; at += length + 1) {
        const char *begin = data + at, *end = memchr(begin, '\n', bytes - at);
        length = end != NULL ? (size_t)(end - begin) : bytes - at;
        line++;
        size_t blanks = 0;
        while (blanks < length && strchr(" \t\r", begin[blanks]) != NULL && begin[blanks] != '\0')
            blanks++;
        if (blanks == length)
            continue;
        const gg_status status = parse_line(begin, length, line, take, context);
        if (status != GG_OK)
            return gg_fail_within(status, "%s: line %lld", path, (long long)line);
    }
    return GG_OK;
}

/* Whoever takes the objects, and whether there was one. */
struct objects {
    gg_jsonl_take *take;
    void *context;
    bool any;
};

static gg_status take_object(void *context, const json_t *value, int64_t line) {
    struct objects *objects = context;
    objects->any = true;
    if (!json_is_object(value))
        return gg_fail(GG_BAD_DATA, "is no JSON object; a line is {\"name\": VALUE, ...}");
    return objects->take(objects->context, value, line);
}

gg_status gg_jsonl_objects(const char *path, const char *data, size_t bytes, gg_jsonl_take *take,
                           void *context) {
    struct objects objects = {take, context, false};
    GG_TRY(gg_jsonl_each(path, data, bytes, take_object, &objects));
    return objects.any ? GG_OK : gg_fail(GG_BAD_DATA, "%s: holds no line; a line is a JSON object", path);
}
