/* The prompts that text is generated from, out of a JSONL file. All local.
 */
#ifndef GG_JOBS_USE_PROMPTS_H
#define GG_JOBS_USE_PROMPTS_H

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct gg_prompt {
    char *text; /* a NUL follows the last byte */
    size_t bytes;
    int64_t line; /* of the file, from 1; 0: from the command line */
};

struct gg_prompts {
    struct gg_prompt *items;
    size_t count;
};

/* Takes the prompts of a file's bytes: a line is {"prompt": TEXT}, other names being passed over, or a string;
 * lines of white space alone are passed over too.
 *   path    [in]  for messages
 *   prompts [in,out] zeroed; free with gg_prompts_free, also after a failure
 * GG_BAD_DATA with file and line: not JSON, no prompt in it, an empty one; no prompt in the whole file. */
gg_status gg_prompts_parse(const char *path, const char *data, size_t bytes,
                           struct gg_prompts *prompts) GG_MUST_USE;

/* Appends a copy of a text. */
void gg_prompts_append(struct gg_prompts *prompts, const char *text, size_t bytes, int64_t line);

void gg_prompts_free(struct gg_prompts *prompts);

#endif
