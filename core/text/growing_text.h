/* Text that is put together piece by piece. All local.
 */
#ifndef GG_CORE_TEXT_GROWING_TEXT_H
#define GG_CORE_TEXT_GROWING_TEXT_H

#include "core/base/status.h"

#include <stddef.h>

/* A growing piece of text; zero it to begin, free with gg_text_free. */
struct gg_text {
    char *bytes;
    size_t count, capacity;
};
void gg_text_free(struct gg_text *text);

/* Appends bytes. GG_RESOURCE: no memory. */
gg_status gg_text_append(struct gg_text *text, const char *bytes, size_t count) GG_MUST_USE;

#endif
