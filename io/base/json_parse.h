/* JSON from outside. Local.
 */
#ifndef GG_IO_BASE_JSON_PARSE_H
#define GG_IO_BASE_JSON_PARSE_H

#include "core/base/status.h"

#include <jansson.h>
#include <stddef.h>

/* Parses JSON; an object that has a name twice is refused. GG_BAD_DATA with line and column.
 *   root [out] owned by the caller (json_decref); NULL after a failure */
gg_status gg_json_parse(const char *text, size_t bytes, json_t **root) GG_MUST_USE;

#endif
