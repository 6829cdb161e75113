/* JSONL from outside: an object a line. Local.
 */
#ifndef GG_IO_BASE_JSON_LINES_H
#define GG_IO_BASE_JSON_LINES_H

#include "core/base/status.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Hands each line's object to `take`, in order; lines of white space alone are passed over.
 *   path [in] for messages
 *   take [in] its failures get file and line put in front
 *   line [out of take] from 1
 * GG_BAD_DATA with file and line: not JSON, a name twice in an object, no object; a file without any. Else what `take`
 * fails with. */
gg_status gg_json_lines(const char *path, const char *data, size_t bytes,
                        gg_status (*take)(void *context, const json_t *object, int64_t line),
                        void *context) GG_MUST_USE;

#endif
