#include "io/samples/sample_form.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

const char *const gg_sample_form_names[] = {"auto",  "prompt", "messages", "instruction",
                                            "label", "text",   NULL};

const char *const gg_sample_form_lines[] = {
    "",
    "{\"prompt\": TEXT, \"completion\": TEXT}",
    "{\"messages\": [{\"role\": \"user\", \"content\": TEXT}, ...]}",
    "{\"instruction\": TEXT, \"input\": TEXT, \"output\": TEXT}",
    "{\"text\": TEXT, \"label\": TEXT}",
    "{\"text\": TEXT}",
};

static bool has(const json_t *line, const char *name) {
    return json_object_get(line, name) != NULL;
}

gg_status gg_sample_form_of(const json_t *line, enum gg_sample_form *form) {
    if (has(line, "messages"))
        *form = GG_SAMPLE_MESSAGES;
    else if (has(line, "instruction"))
        *form = GG_SAMPLE_INSTRUCTION;
    else if (has(line, "prompt") && has(line, "completion"))
        *form = GG_SAMPLE_PROMPT;
    else if (has(line, "text"))
        *form = has(line, "label") ? GG_SAMPLE_LABEL : GG_SAMPLE_TEXT;
    else
        return gg_fail(GG_BAD_DATA, "has the fields of no form of samples; a line is %s, %s, %s, %s or %s",
                       gg_sample_form_lines[GG_SAMPLE_PROMPT], gg_sample_form_lines[GG_SAMPLE_MESSAGES],
                       gg_sample_form_lines[GG_SAMPLE_INSTRUCTION], gg_sample_form_lines[GG_SAMPLE_LABEL],
                       gg_sample_form_lines[GG_SAMPLE_TEXT]);
    return GG_OK;
}

struct text {
    const char *bytes;
    size_t count;
};

static gg_status text_of(const json_t *object, const char *name, const char *wanted, struct text *text) {
    const json_t *value = json_object_get(object, name);
    *text = (struct text){"", 0};
    if (!json_is_string(value))
        return gg_fail(GG_BAD_DATA, "%s \"%s\"; it is to be %s", value == NULL ? "has no" : "has no text in",
                       name, wanted);
    *text = (struct text){json_string_value(value), json_string_length(value)};
    return GG_OK;
}

/* The task with the end of its line, or nothing. */
static gg_status task_of(const struct gg_sample_reader *r, const json_t *line, struct gg_text *task) {
    const char *words = r->task;
    if (has(line, "task")) {
        struct text own;
        GG_TRY(text_of(line, "task", "a text", &own));
        words = own.bytes;
    }
    if (words == NULL || *words == '\0')
        return GG_OK;
    GG_TRY(gg_text_append(task, words, strlen(words)));
    return gg_text_append(task, "\n", 1);
}

static gg_status append(const struct gg_sample_reader *r, struct gg_learned_ids *list, struct text text,
                        bool learned) {
    return gg_learned_ids_append(list, r->encoder, text.bytes, text.count, false, learned);
}

static gg_status append_end(const struct gg_sample_reader *r, struct gg_learned_ids *list) {
    size_t bytes;
    const char *name = gg_token_bytes(r->tokenizer, gg_tokenizer_end_of_text(r->tokenizer), &bytes);
    return gg_learned_ids_append(list, r->encoder, name, bytes, true, true);
}

/* before: the task's line, to which the rest of what is not learned is added, so that it is encoded as one. */
static gg_status read_prompt(const struct gg_sample_reader *r, const json_t *line, struct gg_text *before,
                             struct gg_learned_ids *list) {
    const char *wanted = gg_sample_form_lines[GG_SAMPLE_PROMPT];
    struct text prompt, completion;
    GG_TRY(text_of(line, "prompt", wanted, &prompt));
    GG_TRY(text_of(line, "completion", wanted, &completion));
    GG_TRY(gg_text_append(before, prompt.bytes, prompt.count));
    GG_TRY(append(r, list, (struct text){before->bytes, before->count}, false));
    GG_TRY(append(r, list, completion, true));
    return append_end(r, list);
}

static gg_status read_text(const struct gg_sample_reader *r, const json_t *line, struct gg_text *before,
                           struct gg_learned_ids *list) {
    struct text text;
    GG_TRY(text_of(line, "text", gg_sample_form_lines[r->form], &text));
    if (text.count == 0)
        return gg_fail(GG_BAD_DATA, "has an empty \"text\"");
    GG_TRY(gg_text_append(before, text.bytes, text.count));
    GG_TRY(append(r, list, (struct text){before->bytes, before->count}, true));
    return r->form == GG_SAMPLE_TEXT ? append_end(r, list) : GG_OK;
}

/* A turn, and for the first one of the user the task before its text; `joined` owns the two together. */
static gg_status turn_of(const json_t *message, struct gg_text *task, struct gg_chat_turn *turn) {
    const char *wanted = gg_sample_form_lines[GG_SAMPLE_MESSAGES];
    struct text role, content;
    GG_TRY(text_of(message, "role", wanted, &role));
    GG_TRY(text_of(message, "content", wanted, &content));
    turn->role = gg_chat_role_find(role.bytes);
    if (turn->role == GG_CHAT_ROLES)
        return gg_fail(GG_BAD_DATA, "has the role \"%s\"; roles are system, user and assistant", role.bytes);
    turn->text = content.bytes;
    turn->bytes = content.count;
    if (turn->role == GG_CHAT_USER && task->count > 0) {
        GG_TRY(gg_text_append(task, content.bytes, content.count));
        turn->text = task->bytes;
        turn->bytes = task->count;
        task->count = 0; /* told once; its bytes stay where they are */
    }
    return GG_OK;
}

static gg_status read_messages(const struct gg_sample_reader *r, const json_t *line, struct gg_text *task,
                               bool answer, struct gg_learned_ids *list) {
    const json_t *messages = json_object_get(line, "messages");
    const size_t count = json_array_size(messages);
    if (count == 0)
        return gg_fail(GG_BAD_DATA, "has no list of messages; it is to be %s",
                       gg_sample_form_lines[GG_SAMPLE_MESSAGES]);
    struct gg_chat_turn *turns = gg_malloc(count * sizeof *turns);
    gg_status status = GG_OK;
    for (size_t i = 0; status == GG_OK && i < count; i++) {
        status = turn_of(json_array_get(messages, i), task, &turns[i]);
        if (status != GG_OK)
            status = gg_fail_within(status, "message %zu", i + 1);
    }
    if (status == GG_OK)
        status = gg_chat_encode(r->chat, r->tokenizer, r->encoder, turns, count, answer, list);
    free(turns);
    return status;
}

static gg_status read_instruction(const struct gg_sample_reader *r, const json_t *line,
                                  struct gg_text *before, struct gg_learned_ids *list) {
    const char *wanted = gg_sample_form_lines[GG_SAMPLE_INSTRUCTION];
    struct text instruction, input = {"", 0}, output;
    GG_TRY(text_of(line, "instruction", wanted, &instruction));
    if (has(line, "input"))
        GG_TRY(text_of(line, "input", wanted, &input));
    GG_TRY(text_of(line, "output", wanted, &output));
    GG_TRY(gg_text_append(before, instruction.bytes, instruction.count));
    if (input.count > 0) {
        GG_TRY(gg_text_append(before, "\n\n", 2));
        GG_TRY(gg_text_append(before, input.bytes, input.count));
    }
    const struct gg_chat_turn turns[] = {{GG_CHAT_USER, before->bytes, before->count},
                                         {GG_CHAT_ASSISTANT, output.bytes, output.count}};
    return gg_chat_encode(r->chat, r->tokenizer, r->encoder, turns, 2, false, list);
}

gg_status gg_sample_label(const json_t *line, char **label) {
    const json_t *value = json_object_get(line, "label");
    if (json_is_integer(value))
        *label = gg_format("%lld", (long long)json_integer_value(value));
    else if (json_is_string(value) && json_string_length(value) > 0)
        *label = gg_strdup(json_string_value(value));
    else
        return gg_fail(GG_BAD_DATA, "has no \"label\" that is a text or an integer");
    return GG_OK;
}

static gg_status find_label(const struct gg_sample_reader *r, const json_t *line, int32_t *label) {
    char *name;
    GG_TRY(gg_sample_label(line, &name));
    gg_status status = GG_OK;
    size_t i = 0;
    while (i < r->labels->count && strcmp(r->labels->items[i], name) != 0)
        i++;
    *label = (int32_t)i;
    if (i == r->labels->count) {
        const char *near = gg_nearest_name(name, (const char *const *)r->labels->items, r->labels->count);
        status = gg_fail(GG_BAD_DATA, "has the label \"%s\", which is none of the model's %zu classes%s%s%s",
                         name, r->labels->count, near != NULL ? " (\"" : "", near != NULL ? near : "",
                         near != NULL ? "\" is one)" : "");
    }
    free(name);
    return status;
}

static gg_status read_form(const struct gg_sample_reader *r, const json_t *line, struct gg_text *before,
                           struct gg_learned_ids *list) {
    switch (r->form) {
    case GG_SAMPLE_PROMPT:
        return read_prompt(r, line, before, list);
    case GG_SAMPLE_MESSAGES:
        return read_messages(r, line, before, false, list);
    case GG_SAMPLE_INSTRUCTION:
        return read_instruction(r, line, before, list);
    default:
        return read_text(r, line, before, list);
    }
}

gg_status gg_sample_read(const struct gg_sample_reader *r, const json_t *line, struct gg_learned_ids *list,
                         int32_t *label) {
    struct gg_text before = {0};
    *label = -1;
    gg_status status = task_of(r, line, &before);
    if (status == GG_OK && r->form == GG_SAMPLE_LABEL)
        status = find_label(r, line, label);
    if (status == GG_OK)
        status = read_form(r, line, &before, list);
    gg_text_free(&before);
    /* The first token is learned from nothing. */
    if (status == GG_OK &&
        (list->ids.count == 0 || memchr(list->learned.bytes + 1, 1, list->ids.count - 1) == NULL) &&
        r->form != GG_SAMPLE_LABEL)
        status = gg_fail(GG_BAD_DATA, "has nothing to learn: %s",
                         r->form == GG_SAMPLE_MESSAGES ? "no turn is the assistant's" : "its text is empty");
    return status;
}

gg_status gg_sample_ask(const struct gg_sample_reader *r, const json_t *line, struct gg_learned_ids *list) {
    struct gg_text before = {0};
    gg_status status = task_of(r, line, &before);
    if (status == GG_OK)
        status = read_messages(r, line, &before, true, list);
    gg_text_free(&before);
    return status;
}
