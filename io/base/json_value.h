/* Values on their way into JSON. Local.
 */
#ifndef GG_IO_BASE_JSON_VALUE_H
#define GG_IO_BASE_JSON_VALUE_H

#include <jansson.h>
#include <stddef.h>

/* A text of any bytes, which JSON holds as UTF-8 alone: what is none becomes U+FFFD. Owned by the caller. */
json_t *gg_json_of_text(const char *bytes, size_t count);

#endif
