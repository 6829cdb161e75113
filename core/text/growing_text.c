#include "core/text/growing_text.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

void gg_text_free(struct gg_text *text) {
    free(text->bytes);
    *text = (struct gg_text){0};
}

static gg_status reserve(struct gg_text *text, size_t more) {
    if (more <= text->capacity - text->count)
        return GG_OK;
    size_t capacity = text->capacity + text->capacity / 2;
    if (capacity < text->count + more)
        capacity = text->count + more;
    char *larger = capacity >= more ? gg_realloc_or_null(text->bytes, capacity) : NULL;
    if (larger == NULL)
        return gg_fail(GG_RESOURCE, "no memory for a text of %zu bytes", text->count + more);
    text->bytes = larger;
    text->capacity = capacity;
    return GG_OK;
}

gg_status gg_text_append(struct gg_text *text, const char *bytes, size_t count) {
    if (count == 0)
        return GG_OK;
    GG_TRY(reserve(text, count));
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
    return GG_OK;
}
