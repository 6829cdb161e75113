#include "io/samples/sample_set.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/jsonl.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const size_t most_file_bytes = (size_t)64 << 30;

static gg_status each_line(const struct gg_text_list *paths, const char *origin, gg_jsonl_take *take,
                           void *context) {
    for (size_t i = 0; i < paths->count; i++) {
        char *data = NULL;
        size_t bytes = 0;
        gg_status status = gg_file_read(paths->items[i], most_file_bytes, &data, &bytes);
        if (status == GG_OK)
            status = gg_jsonl_each(paths->items[i], data, bytes, take, context);
        free(data);
        if (status != GG_OK)
            return gg_fail_within(status, "%s", origin);
    }
    return GG_OK;
}

/* Cuts the last sample's tokens to so many: of what comes before the first that is learned its beginning, then the
 * end. A text with a class, of which all is read, loses its end. */
static void truncate(struct gg_sample_set *set, size_t begin, size_t most) {
    struct gg_learned_ids *list = &set->list;
    uint32_t *ids = list->ids.items + begin;
    char *learned = list->learned.bytes + begin;
    const size_t count = list->ids.count - begin, over = count - most;
    size_t before = 0;
    while (before < count && learned[before] == 0)
        before++;
    /* One token stays before what is learned. */
    const size_t from = before > over ? over : before > 0 ? before - 1 : 0;
    memmove(ids, ids + from, most * sizeof *ids);
    memmove(learned, learned + from, most);
    list->ids.count = list->learned.count = begin + most;
}

struct reading {
    const struct gg_sample_request *request;
    struct gg_sample_reader reader;
    struct gg_sample_set *set;
    int64_t capacity;
};

static void grow(struct reading *r) {
    struct gg_sample_set *set = r->set;
    r->capacity = r->capacity > 0 ? 2 * r->capacity : 1024;
    set->first = gg_realloc(set->first, ((size_t)r->capacity + 1) * sizeof *set->first);
    set->labels = gg_realloc(set->labels, (size_t)r->capacity * sizeof *set->labels);
    set->first[0] = 0;
}

static gg_status check_form(const json_t *value, enum gg_sample_form form) {
    enum gg_sample_form own;
    GG_TRY(gg_sample_form_of(value, &own));
    if (own != form && !(form == GG_SAMPLE_TEXT && own == GG_SAMPLE_LABEL))
        return gg_fail(GG_BAD_DATA,
                       "is of the form %s, and the samples are of the form %s: %s; set finetune.form, "
                       "or keep forms apart",
                       gg_sample_form_names[own], gg_sample_form_names[form], gg_sample_form_lines[form]);
    return GG_OK;
}

static gg_status take_sample(void *context, const json_t *value, int64_t line) {
    (void)line;
    struct reading *r = context;
    struct gg_sample_set *set = r->set;
    const size_t begin = set->list.ids.count, most = (size_t)r->request->most_tokens;
    if (set->count == r->capacity)
        grow(r);
    GG_TRY(check_form(value, r->reader.form));
    /* It is read behind the others: what is learned is looked for from its own first token on. */
    struct gg_learned_ids own = {0};
    gg_status status = gg_sample_read(&r->reader, value, &own, &set->labels[set->count]);
    if (status == GG_OK)
        status = gg_ids_reserve(&set->list.ids, own.ids.count);
    if (status == GG_OK)
        status = gg_text_append(&set->list.learned, own.learned.bytes, own.learned.count);
    if (status == GG_OK) {
        memcpy(set->list.ids.items + begin, own.ids.items, own.ids.count * sizeof *own.ids.items);
        set->list.ids.count += own.ids.count;
    }
    const size_t count = own.ids.count;
    gg_learned_ids_free(&own);
    GG_TRY(status);
    if (count > most) {
        if (r->request->settings->too_long == GG_TOO_LONG_REFUSE)
            return gg_fail(
                GG_BAD_DATA,
                "comes to %zu tokens, and model.context leaves room for %zu; finetune.too_long=truncate "
                "cuts such samples",
                count, most);
        truncate(set, begin, most);
        set->truncated++;
    }
    set->first[++set->count] = (int64_t)set->list.ids.count;
    return GG_OK;
}

static uint64_t fingerprint(const struct gg_sample_set *set) {
    const size_t tokens = set->list.ids.count, count = (size_t)set->count;
    const uint64_t parts[] = {XXH3_64bits(set->list.ids.items, tokens * sizeof *set->list.ids.items),
                              XXH3_64bits(set->list.learned.bytes, tokens),
                              XXH3_64bits(set->first, (count + 1) * sizeof *set->first),
                              XXH3_64bits(set->labels, count * sizeof *set->labels)};
    return XXH3_64bits(parts, sizeof parts);
}

static gg_status no_sample(const struct gg_text_list *paths, const char *origin) {
    return gg_fail(GG_BAD_DATA, "%s: %s%s: no sample, a line of JSON, is in it", origin, paths->items[0],
                   paths->count > 1 ? " and the others" : "");
}

gg_status gg_sample_set_read(const struct gg_sample_request *request, const struct gg_text_list *paths,
                             const char *origin, struct gg_sample_set *set) {
    struct gg_chat_template chat;
    struct reading r = {.request = request,
                        .reader = {.form = (enum gg_sample_form)request->settings->form,
                                   .task = request->settings->task,
                                   .tokenizer = request->tokenizer,
                                   .chat = &chat,
                                   .labels = request->labels},
                        .set = set};
    GG_ASSERT(r.reader.form != GG_SAMPLE_AUTO);
    set->form = r.reader.form;
    GG_TRY(gg_encoder_create(request->tokenizer, &r.reader.encoder));
    gg_chat_template_make(request->chat, request->tokenizer, &chat);
    gg_status status = each_line(paths, origin, take_sample, &r);
    if (status == GG_OK && set->count == 0)
        status = no_sample(paths, origin);
    if (status == GG_OK)
        set->fingerprint = fingerprint(set);
    gg_chat_template_free(&chat);
    gg_encoder_destroy(&r.reader.encoder);
    return status;
}

void gg_sample_set_free(struct gg_sample_set *set) {
    free(set->first);
    free(set->labels);
    gg_learned_ids_free(&set->list);
    *set = (struct gg_sample_set){0};
}

/* A look at the lines, before there is a tokenizer. */
struct look {
    int *form;
    struct gg_text_list *labels; /* in the order of their bytes; or NULL */
};

static void add_label(struct gg_text_list *list, char *label) {
    size_t at = 0, end = list->count;
    while (at < end) {
        const size_t middle = (at + end) / 2;
        const int order = strcmp(list->items[middle], label);
        if (order == 0) {
            free(label);
            return;
        }
        if (order < 0)
            at = middle + 1;
        else
            end = middle;
    }
    list->items = gg_realloc(list->items, (list->count + 1) * sizeof *list->items);
    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof *list->items);
    list->items[at] = label;
    list->count++;
}

static gg_status look_at(void *context, const json_t *value, int64_t line) {
    (void)line;
    struct look *look = context;
    enum gg_sample_form form;
    if (*look->form == GG_SAMPLE_AUTO) {
        GG_TRY(gg_sample_form_of(value, &form));
        *look->form = (int)form;
    }
    if (*look->form != GG_SAMPLE_LABEL || look->labels == NULL)
        return GG_OK;
    char *label;
    GG_TRY(gg_sample_label(value, &label));
    add_label(look->labels, label);
    return GG_OK;
}

gg_status gg_sample_set_examine(const struct gg_text_list *paths, const char *origin, int *form,
                                struct gg_text_list *labels) {
    struct look look = {form, labels};
    GG_TRY(each_line(paths, origin, look_at, &look));
    return *form == GG_SAMPLE_AUTO ? no_sample(paths, origin) : GG_OK;
}
