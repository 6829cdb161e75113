#include "jobs/use/prompts.h"

#include "core/base/memory.h"
#include "io/base/jsonl.h"

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

gg_status gg_prompts_parse(const char *path, const char *data, size_t bytes, struct gg_prompts *prompts) {
    GG_TRY(gg_jsonl_each(path, data, bytes, take, prompts));
    if (prompts->count == 0)
        return gg_fail(GG_BAD_DATA, "%s: holds no prompt; a line is {\"prompt\": TEXT} or a string", path);
    return GG_OK;
}
