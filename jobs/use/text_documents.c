#include "jobs/use/text_documents.h"

#include "core/base/memory.h"
#include "io/base/jsonl.h"

#include <stdlib.h>
#include <string.h>

struct adding {
    struct gg_text_documents *documents;
    const gg_tokenizer *tokenizer;
    gg_encoder *encoder;
};

static gg_status add(struct adding *a, const char *text, size_t bytes) {
    struct gg_text_documents *d = a->documents;
    GG_TRY(gg_encode(a->encoder, text, bytes, false, &d->ids));
    GG_TRY(gg_ids_reserve(&d->ids, 1));
    d->ids.items[d->ids.count++] = gg_tokenizer_end_of_text(a->tokenizer);
    d->count++;
    d->starts = gg_realloc(d->starts, (size_t)(d->count + 1) * sizeof *d->starts);
    d->starts[0] = 0;
    d->starts[d->count] = (int64_t)d->ids.count;
    d->text_bytes += (int64_t)bytes;
    return GG_OK;
}

static gg_status add_line(void *context, const json_t *object, int64_t line) {
    (void)line;
    const json_t *text = json_object_get(object, "text");
    if (!json_is_string(text))
        return gg_fail(GG_BAD_DATA, "%s; a line is {\"text\": TEXT}",
                       text == NULL ? "has no \"text\"" : "its \"text\" is no string");
    return add(context, json_string_value(text), json_string_length(text));
}

static bool ends_with(const char *path, const char *ending) {
    const size_t length = strlen(path), more = strlen(ending);
    return length >= more && strcmp(path + length - more, ending) == 0;
}

gg_status gg_text_documents_add(struct gg_text_documents *documents, const gg_tokenizer *tokenizer,
                                const char *path, const char *data, size_t bytes) {
    struct adding a = {documents, tokenizer, NULL};
    GG_TRY(gg_encoder_create(tokenizer, &a.encoder));
    gg_status status;
    if (ends_with(path, ".jsonl") || ends_with(path, ".ndjson")) {
        status = gg_jsonl_objects(path, data, bytes, add_line, &a);
    } else {
        status = add(&a, data, bytes);
        if (status != GG_OK)
            status = gg_fail_within(status, "%s", path);
    }
    gg_encoder_destroy(&a.encoder);
    return status;
}

void gg_text_documents_free(struct gg_text_documents *documents) {
    gg_ids_free(&documents->ids);
    free(documents->starts);
    *documents = (struct gg_text_documents){0};
}

static int64_t tokens_of(const void *self, int64_t document) {
    const struct gg_text_documents *d = self;
    return d->starts[document + 1] - d->starts[document];
}

static gg_status read_tokens(void *self, int64_t document, int64_t first, int64_t count, int32_t *tokens) {
    const struct gg_text_documents *d = self;
    memcpy(tokens, d->ids.items + d->starts[document] + first, (size_t)count * sizeof *tokens);
    return GG_OK;
}

struct gg_documents gg_text_documents_of(struct gg_text_documents *documents) {
    return (struct gg_documents){documents, documents->count, tokens_of, read_tokens};
}
