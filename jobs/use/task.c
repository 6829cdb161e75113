#include "jobs/use/task.h"

#include "core/base/memory.h"
#include "core/text/task_text.h"
#include "io/base/jsonl.h"

#include <stdlib.h>
#include <string.h>

const char *const gg_task_kind_names[] = {"auto",  "hellaswag", "lambada", "multiple_choice",
                                          "cloze", "classify",  NULL};

/* What a line of each kind is, for messages. */
static const char *const forms[] = {
    [GG_TASK_HELLASWAG] =
        "{\"activity_label\": TEXT, \"ctx_a\": TEXT, \"ctx_b\": TEXT, \"endings\": [TEXT, ...], \"label\": N}",
    [GG_TASK_LAMBADA] = "{\"text\": TEXT}",
    [GG_TASK_MULTIPLE_CHOICE] = "{\"query\": TEXT, \"choices\": [TEXT, ...], \"gold\": N}",
    [GG_TASK_CLOZE] = "{\"context\": TEXT, \"target\": TEXT}",
    [GG_TASK_CLASSIFY] = "{\"text\": TEXT, \"label\": LABEL}",
};

/* A file on its way. */
struct reading {
    struct gg_task *task;
    const struct gg_task_form *form;
    struct gg_text_list labels; /* classify: each sample's, until all classes are known */
};

void gg_task_free(struct gg_task *task) {
    free(task->path);
    gg_text_free(&task->text);
    free(task->samples);
    free(task->choices);
    for (size_t i = 0; i < task->classes.count; i++)
        free(task->classes.items[i]);
    free(task->classes.items);
    *task = (struct gg_task){0};
}

static void append_text(struct gg_text_list *list, const char *text) {
    if ((list->count & (list->count - 1)) == 0) /* full: its room doubles */
        list->items = gg_realloc(list->items, (list->count > 0 ? 2 * list->count : 1) * sizeof *list->items);
    list->items[list->count++] = gg_strdup(text);
}

static void free_texts(struct gg_text_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct gg_text_list){0};
}

static struct gg_task_sample *add_sample(struct gg_task *task, int64_t line) {
    const int64_t count = task->sample_count;
    if ((count & (count - 1)) == 0)
        task->samples =
            gg_realloc(task->samples, (size_t)(count > 0 ? 2 * count : 1) * sizeof *task->samples);
    task->samples[task->sample_count++] = (struct gg_task_sample){.line = line, .first = task->choice_count};
    return &task->samples[count];
}

/* A choice of the last sample, whose text begins at `at` and ends where the task's does. */
static void add_choice(struct gg_task *task, size_t at) {
    const int64_t count = task->choice_count;
    if ((count & (count - 1)) == 0)
        task->choices =
            gg_realloc(task->choices, (size_t)(count > 0 ? 2 * count : 1) * sizeof *task->choices);
    const struct gg_task_text text = {at, task->text.count - at};
    task->choices[task->choice_count++] =
        (struct gg_task_choice){text, gg_text_characters(task->text.bytes + at + 1, text.bytes - 1)};
    task->samples[task->sample_count - 1].count++;
}

/* Both clean up or copy what a choice or a context is made of. */
static gg_status append_plain(const char *text, size_t bytes, struct gg_text *out) {
    return gg_text_append(out, text, bytes);
}
typedef gg_status take_text(const char *text, size_t bytes, struct gg_text *out);

static gg_status take_choice(struct gg_task *task, const char *text, size_t bytes, take_text *take) {
    const size_t at = task->text.count;
    GG_TRY(gg_text_append(&task->text, " ", 1));
    GG_TRY(take(text, bytes, &task->text));
    add_choice(task, at);
    return GG_OK;
}

static gg_status text_of(const json_t *object, const char *name, const json_t **text) {
    *text = json_object_get(object, name);
    if (*text == NULL)
        return gg_fail(GG_BAD_DATA, "has no \"%s\"", name);
    return json_is_string(*text) ? GG_OK : gg_fail(GG_BAD_DATA, "its \"%s\" is no string", name);
}

/* A number from 0 to `count` - 1, as a number or in a string. */
static gg_status index_of(const json_t *object, const char *name, int64_t count, int64_t *index) {
    const json_t *value = json_object_get(object, name);
    char *end = NULL;
    long long number = -1;
    if (value == NULL)
        return gg_fail(GG_BAD_DATA, "has no \"%s\"", name);
    if (json_is_integer(value))
        number = json_integer_value(value);
    else if (json_is_string(value) && json_string_length(value) > 0)
        number = strtoll(json_string_value(value), &end, 10);
    if (!json_is_integer(value) && (end == NULL || *end != '\0'))
        return gg_fail(GG_BAD_DATA, "its \"%s\" is no number; samples without the answer cannot be scored",
                       name);
    if (number < 0 || number >= count)
        return gg_fail(GG_BAD_DATA, "its \"%s\" is %lld, and there are %lld choices, from 0", name, number,
                       (long long)count);
    *index = number;
    return GG_OK;
}

static gg_status take_choices(struct gg_task *task, const json_t *object, const char *name, take_text *take) {
    const json_t *list = json_object_get(object, name);
    if (list == NULL)
        return gg_fail(GG_BAD_DATA, "has no \"%s\"", name);
    if (!json_is_array(list) || json_array_size(list) < 2)
        return gg_fail(GG_BAD_DATA, "its \"%s\" is no list of two texts or more", name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *text = json_array_get(list, i);
        if (!json_is_string(text))
            return gg_fail(GG_BAD_DATA, "its \"%s\" holds what is no text", name);
        GG_TRY(take_choice(task, json_string_value(text), json_string_length(text), take));
    }
    return GG_OK;
}

/* The context is what the task's text has got from `at` on. */
static void end_context(struct gg_task *task, size_t at) {
    task->samples[task->sample_count - 1].context = (struct gg_task_text){at, task->text.count - at};
}

static gg_status take_hellaswag(struct reading *r, const json_t *object) {
    const json_t *label, *a, *b;
    struct gg_task *task = r->task;
    GG_TRY(text_of(object, "activity_label", &label));
    GG_TRY(text_of(object, "ctx_a", &a));
    GG_TRY(text_of(object, "ctx_b", &b));
    struct gg_text query = {0};
    const size_t at = task->text.count;
    gg_status status = gg_text_append(&query, json_string_value(label), json_string_length(label));
    if (status == GG_OK)
        status = gg_text_append(&query, ": ", 2);
    if (status == GG_OK)
        status = gg_text_append(&query, json_string_value(a), json_string_length(a));
    if (status == GG_OK)
        status = gg_text_append(&query, " ", 1);
    if (status == GG_OK)
        status = gg_text_capitalize(json_string_value(b), json_string_length(b), &query);
    if (status == GG_OK)
        status = gg_hellaswag_clean(query.bytes, query.count, &task->text);
    gg_text_free(&query);
    GG_TRY(status);
    end_context(task, at);
    GG_TRY(take_choices(task, object, "endings", gg_hellaswag_clean));
    struct gg_task_sample *sample = &task->samples[task->sample_count - 1];
    return index_of(object, "label", sample->count, &sample->gold);
}

static gg_status take_context(struct gg_task *task, const char *text, size_t bytes) {
    const size_t at = task->text.count;
    GG_TRY(gg_text_append(&task->text, text, bytes));
    end_context(task, at);
    return GG_OK;
}

static gg_status take_multiple_choice(struct reading *r, const json_t *object) {
    const json_t *query;
    struct gg_task *task = r->task;
    GG_TRY(text_of(object, "query", &query));
    GG_TRY(take_context(task, json_string_value(query), json_string_length(query)));
    GG_TRY(take_choices(task, object, "choices", append_plain));
    struct gg_task_sample *sample = &task->samples[task->sample_count - 1];
    return index_of(object, "gold", sample->count, &sample->gold);
}

static gg_status take_lambada(struct reading *r, const json_t *object) {
    const json_t *text;
    GG_TRY(text_of(object, "text", &text));
    const char *bytes = json_string_value(text);
    const size_t count = json_string_length(text);
    const char *space = memrchr(bytes, ' ', count);
    const char *word = space != NULL ? space + 1 : bytes;
    const size_t length = (size_t)(bytes + count - word);
    if (length == 0)
        return gg_fail(GG_BAD_DATA, "its \"text\" %s; the word behind the last space is to be predicted",
                       count == 0 ? "is empty" : "ends with a space");
    GG_TRY(take_context(r->task, bytes, space != NULL ? (size_t)(space - bytes) : 0));
    return take_choice(r->task, word, length, append_plain);
}

static gg_status take_cloze(struct reading *r, const json_t *object) {
    const json_t *context, *target;
    GG_TRY(text_of(object, "context", &context));
    GG_TRY(text_of(object, "target", &target));
    GG_TRY(take_context(r->task, json_string_value(context), json_string_length(context)));
    if (json_string_length(target) == 0)
        return gg_fail(GG_BAD_DATA, "its \"target\" is empty");
    return take_choice(r->task, json_string_value(target), json_string_length(target), append_plain);
}

/* Which class a label names; -1: none. */
static int64_t class_of(const struct gg_text_list *classes, const char *label) {
    for (size_t i = 0; i < classes->count; i++)
        if (strcmp(classes->items[i], label) == 0)
            return (int64_t)i;
    return -1;
}

/* A label is a class's name; where classes are given also a class's number. */
static gg_status take_label(struct reading *r, const json_t *label) {
    const struct gg_text_list *classes = r->form->classes;
    if (!json_is_string(label) && !json_is_integer(label))
        return gg_fail(GG_BAD_DATA, "its \"label\" is neither a string nor a whole number");
    if (json_is_string(label) && json_string_length(label) != strlen(json_string_value(label)))
        return gg_fail(GG_BAD_DATA, "its \"label\" has a NUL in it");
    if (json_is_string(label) && json_string_length(label) == 0)
        return gg_fail(GG_BAD_DATA, "its \"label\" is empty");
    char *text = json_is_string(label) ? gg_strdup(json_string_value(label))
                                       : gg_format("%lld", (long long)json_integer_value(label));
    const bool known = classes != NULL && classes->count > 0;
    gg_status status = GG_OK;
    if (known && json_is_integer(label) && json_integer_value(label) >= 0 &&
        (size_t)json_integer_value(label) < classes->count)
        append_text(&r->labels, classes->items[json_integer_value(label)]);
    else if (known && class_of(classes, text) < 0)
        status = gg_fail(GG_BAD_DATA, "its \"label\" %s is none of the %zu classes (%s, ...)", text,
                         classes->count, classes->items[0]);
    else
        append_text(&r->labels, text);
    free(text);
    return status;
}

static gg_status take_classify(struct reading *r, const json_t *object) {
    static const char slot[] = "{text}";
    const json_t *text, *label = json_object_get(object, "label");
    struct gg_task *task = r->task;
    GG_TRY(text_of(object, "text", &text));
    if (label == NULL)
        return gg_fail(GG_BAD_DATA, "has no \"label\"");
    const char *template = r->form->template, *gap = strstr(template, slot);
    const size_t at = task->text.count;
    GG_TRY(gg_text_append(&task->text, template, (size_t)(gap - template)));
    GG_TRY(gg_text_append(&task->text, json_string_value(text), json_string_length(text)));
    GG_TRY(gg_text_append(&task->text, gap + strlen(slot), strlen(gap + strlen(slot))));
    end_context(task, at);
    return take_label(r, label);
}

static enum gg_task_kind kind_of(const json_t *object) {
    return json_object_get(object, "endings") != NULL   ? GG_TASK_HELLASWAG
           : json_object_get(object, "choices") != NULL ? GG_TASK_MULTIPLE_CHOICE
           : json_object_get(object, "target") != NULL  ? GG_TASK_CLOZE
           : json_object_get(object, "text") == NULL    ? GG_TASK_AUTO
           : json_object_get(object, "label") != NULL   ? GG_TASK_CLASSIFY
                                                        : GG_TASK_LAMBADA;
}

static gg_status take_line(void *context, const json_t *object, int64_t line) {
    static gg_status (*const takers[])(struct reading *,
                                       const json_t *) = {[GG_TASK_HELLASWAG] = take_hellaswag,
                                                          [GG_TASK_LAMBADA] = take_lambada,
                                                          [GG_TASK_MULTIPLE_CHOICE] = take_multiple_choice,
                                                          [GG_TASK_CLOZE] = take_cloze,
                                                          [GG_TASK_CLASSIFY] = take_classify};
    struct reading *r = context;
    if (r->task->kind == GG_TASK_AUTO)
        r->task->kind = kind_of(object);
    if (r->task->kind == GG_TASK_AUTO)
        return gg_fail(GG_BAD_DATA, "is of no task that is known: a line is %s, %s, %s, %s or %s",
                       forms[GG_TASK_HELLASWAG], forms[GG_TASK_MULTIPLE_CHOICE], forms[GG_TASK_LAMBADA],
                       forms[GG_TASK_CLOZE], forms[GG_TASK_CLASSIFY]);
    add_sample(r->task, line);
    const gg_status status = takers[r->task->kind](r, object);
    if (status != GG_BAD_DATA)
        return status;
    char *reason = gg_strdup(gg_failure());
    gg_fail(status, "%s; a line of %s is %s", reason, gg_task_kind_names[r->task->kind],
            forms[r->task->kind]);
    free(reason);
    return status;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The classes as given, or the labels that there are, each once. */
static void list_classes(struct reading *r) {
    struct gg_text_list *classes = &r->task->classes;
    const struct gg_text_list *from =
        r->form->classes != NULL && r->form->classes->count > 0 ? r->form->classes : &r->labels;
    char **sorted = gg_malloc((from->count + 1) * sizeof *sorted);
    memcpy(sorted, from->items, from->count * sizeof *sorted);
    if (from == &r->labels)
        qsort(sorted, from->count, sizeof *sorted, by_bytes);
    for (size_t i = 0; i < from->count; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0)
            append_text(classes, sorted[i]);
    free(sorted);
}

/* Each sample's choices are the classes, whose texts stand once. */
static gg_status choose_among_classes(struct reading *r) {
    struct gg_task *task = r->task;
    list_classes(r);
    if (task->classes.count < 2)
        return gg_fail(GG_BAD_DATA, "%s: has the label %s alone; a classification has two or more",
                       task->path, task->classes.items[0]);
    for (int64_t i = 0; i < task->sample_count; i++) {
        task->samples[i].first = 0;
        task->samples[i].count = i == 0 ? 0 : (int64_t)task->classes.count;
        task->samples[i].gold = class_of(&task->classes, r->labels.items[i]);
    }
    const int64_t samples = task->sample_count;
    task->sample_count = 1; /* whose choices they become */
    gg_status status = GG_OK;
    for (size_t c = 0; c < task->classes.count && status == GG_OK; c++)
        status = take_choice(task, task->classes.items[c], strlen(task->classes.items[c]), append_plain);
    task->sample_count = samples;
    return status;
}

gg_status gg_task_parse(const char *path, const char *data, size_t bytes, enum gg_task_kind kind,
                        const struct gg_task_form *form, struct gg_task *task) {
    struct reading r = {.task = task, .form = form};
    *task = (struct gg_task){.kind = kind, .path = gg_strdup(path)};
    gg_status status = gg_jsonl_objects(path, data, bytes, take_line, &r);
    if (status == GG_OK && task->kind == GG_TASK_CLASSIFY)
        status = choose_among_classes(&r);
    free_texts(&r.labels);
    return status;
}

gg_status gg_task_form_check(const struct gg_task_form *form, const char *template_origin,
                             const char *classes_origin) {
    const char *slot = strstr(form->template, "{text}");
    if (slot == NULL || strstr(slot + 1, "{text}") != NULL)
        return gg_fail(GG_USAGE, "%s: '%s' must have {text} in it, once, where a sample's text goes",
                       template_origin, form->template);
    for (size_t i = 0; form->classes != NULL && i < form->classes->count; i++)
        for (size_t j = 0; j <= i; j++)
            if (form->classes->items[i][0] == '\0' ||
                (j < i && strcmp(form->classes->items[i], form->classes->items[j]) == 0))
                return gg_fail(GG_USAGE, "%s: '%s' is %s", classes_origin, form->classes->items[i],
                               form->classes->items[i][0] == '\0' ? "no name of a class" : "named twice");
    return GG_OK;
}
