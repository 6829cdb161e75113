/* The prompts that text is generated from, out of a JSONL file. All local.
 *
 * A prompt is a text, or a conversation for a model to answer: then its text is a line of JSON,
 * {"messages": [{"role": ROLE, "content": TEXT}, ...]}, as samples have it (io/samples/sample_form.h).
 */
#ifndef GG_JOBS_USE_PROMPTS_H
#define GG_JOBS_USE_PROMPTS_H

#include "core/base/status.h"
#include "io/base/json_value.h"

#include <jansson.h>
#include <stdbool.h>
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

/* Takes the prompts of a file's bytes: a line is {"prompt": TEXT}, other names being passed over, or a string; of
 * conversations {"messages": [...]}. Lines of white space alone are passed over.
 *   path    [in]  for messages
 *   turns   [in]  lines are conversations, whose turns are not looked at yet
 *   prompts [in,out] zeroed; free with gg_prompts_free, also after a failure
 * GG_BAD_DATA with file and line: not JSON, no prompt in it, an empty one; no prompt in the whole file. */
gg_status gg_prompts_parse(const char *path, const char *data, size_t bytes, bool turns,
                           struct gg_prompts *prompts) GG_MUST_USE;

/* Appends a copy of a text. */
void gg_prompts_append(struct gg_prompts *prompts, const char *text, size_t bytes, int64_t line);

/* Appends a turn to a conversation's list of messages. */
void gg_messages_append(json_t *messages, const char *role, const char *text, size_t bytes);

/* Appends the conversation as a prompt. */
void gg_prompts_append_messages(struct gg_prompts *prompts, json_t *messages);

void gg_prompts_free(struct gg_prompts *prompts);

#endif
