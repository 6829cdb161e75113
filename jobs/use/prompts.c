#include "jobs/use/prompts.h"

#include "core/base/memory.h"
#include "io/base/jsonl.h"
#include "io/samples/sample_form.h"

#include <stdlib.h>
#include <string.h>

void gg_prompts_append(struct gg_prompts *prompts, const char *text, size_t bytes, int64_t line) {
    const size_t count = prompts->count;
    if ((count & (count - 1)) == 0) /* full: its room doubles */
        prompts->items = gg_realloc(prompts->items, (count > 0 ? 2 * count : 1) * sizeof *prompts->items);
    char *copy = gg_malloc(bytes + 1);
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    prompts->items[prompts->count++] = (struct gg_prompt){copy, bytes, line};
}

void gg_messages_append(json_t *messages, const char *role, const char *text, size_t bytes) {
    json_t *message = json_pack("{s:s, s:o}", "role", role, "content", gg_json_of_text(text, bytes));
    GG_ASSERT(message != NULL && json_array_append_new(messages, message) == 0);
}

/* A line of a value. */
static void append_line(struct gg_prompts *prompts, const json_t *value, int64_t line) {
    const size_t bytes = json_dumpb(value, NULL, 0, JSON_COMPACT);
    char *text = gg_malloc(bytes);
    GG_ASSERT(bytes > 0 && json_dumpb(value, text, bytes, JSON_COMPACT) == bytes);
    gg_prompts_append(prompts, text, bytes, line);
    free(text);
}

void gg_prompts_append_messages(struct gg_prompts *prompts, json_t *messages) {
    json_t *line = json_pack("{s:O}", "messages", messages);
    append_line(prompts, line, 0);
    json_decref(line);
}

void gg_prompts_free(struct gg_prompts *prompts) {
    for (size_t i = 0; i < prompts->count; i++)
        free(prompts->items[i].text);
    free(prompts->items);
    *prompts = (struct gg_prompts){0};
}

/* The prompt of a line's value. */
static gg_status take(void *context, const json_t *value, int64_t line) {
    struct gg_prompts *prompts = context;
    const json_t *prompt = json_is_object(value) ? json_object_get(value, "prompt") : value;
    if (prompt == NULL)
        return gg_fail(GG_BAD_DATA, "has no \"prompt\"; a line is {\"prompt\": TEXT} or a string");
    if (!json_is_string(prompt))
        return gg_fail(GG_BAD_DATA, "its prompt is no string; a line is {\"prompt\": TEXT} or a string");
    if (json_string_length(prompt) == 0)
        return gg_fail(GG_BAD_DATA,
                       "its prompt is empty; give the text to go on from, or leave the line out");
    gg_prompts_append(prompts, json_string_value(prompt), json_string_length(prompt), line);
    return GG_OK;
}

/* The conversation of a line's value, as the line: what its turns are is seen when they are encoded. */
static gg_status take_turns(void *context, const json_t *value, int64_t line) {
    if (!json_is_array(json_object_get(value, "messages")))
        return gg_fail(GG_BAD_DATA, "has no list of messages; a line is %s",
                       gg_sample_form_lines[GG_SAMPLE_MESSAGES]);
    append_line(context, value, line);
    return GG_OK;
}

gg_status gg_prompts_parse(const char *path, const char *data, size_t bytes, bool turns,
                           struct gg_prompts *prompts) {
    GG_TRY(gg_jsonl_each(path, data, bytes, turns ? take_turns : take, prompts));
    if (prompts->count == 0)
        return gg_fail(GG_BAD_DATA, "%s: holds no prompt; a line is %s", path,
                       turns ? gg_sample_form_lines[GG_SAMPLE_MESSAGES] : "{\"prompt\": TEXT} or a string");
    return GG_OK;
}
