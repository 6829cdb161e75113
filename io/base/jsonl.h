/* Files of JSON, a value a line. Local.
 */
#ifndef GG_IO_BASE_JSONL_H
#define GG_IO_BASE_JSONL_H

#include "core/base/status.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Takes a line's value; its failures leave file and line to the caller. */
typedef gg_status gg_jsonl_take(void *context, const json_t *value, int64_t line);

/* Gives each line's value to `take`, until one fails. Lines of white space alone are passed over.
 *   path [in] for messages
 * GG_BAD_DATA with file and line: not JSON, an object that has a name twice; whatever `take` says, with both. */
gg_status gg_jsonl_each(const char *path, const char *data, size_t bytes, gg_jsonl_take *take,
                        void *context) GG_MUST_USE;

/* The same of a file whose lines are objects. GG_BAD_DATA too: a line that is none, a file without any. */
gg_status gg_jsonl_objects(const char *path, const char *data, size_t bytes, gg_jsonl_take *take,
                           void *context) GG_MUST_USE;

#endif
