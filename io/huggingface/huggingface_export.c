#include "io/huggingface/huggingface_export.h"

#include "core/base/memory.h"
#include "core/text/chat_template.h"
#include "io/base/file.h"
#include "io/huggingface/export_folder.h"
#include "io/huggingface/huggingface_config.h"
#include "io/huggingface/huggingface_names.h"
#include "io/huggingface/huggingface_shards.h"
#include "io/huggingface/safetensors_write.h"
#include "io/huggingface/transposition.h"
#include "io/tokenizer/tokenizer_file.h"
#include "io/tokenizer/tokenizer_huggingface.h"

#include <stdlib.h>
#include <string.h>

enum { STRETCH = 1 << 20 /* elements that are turned over at once */ };

static gg_status write_text(const char *folder, const char *name, const char *text) {
    char *path = gg_format("%s/%s", folder, name);
    const gg_status status = gg_file_write(path, text, strlen(text));
    free(path);
    return status;
}

/* JSON with as few digits as its numbers need; owned by the caller. */
static char *format_json(const json_t *root) {
    enum { MOST_DIGITS = 17 };
    for (size_t digits = 1;; digits++) {
        char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(digits));
        json_t *again = json_loads(text, 0, NULL);
        const bool same = json_equal(root, again) != 0;
        json_decref(again);
        if (same || digits == MOST_DIGITS)
            return text;
        free(text);
    }
}

static gg_status write_json(const char *folder, const char *name, const json_t *root) {
    char *text = format_json(root), *line = gg_format("%s\n", text);
    const gg_status status = write_text(folder, name, line);
    free(line);
    free(text);
    return status;
}

/* Puts a matrix (in, out) as one of (out, in), some rows at a time. */
static gg_status put_transposed(gg_safetensors_writer *writer, const struct gg_parameter *p,
                                const float *values) {
    const int64_t rows = p->rows < STRETCH ? STRETCH / p->rows : 1;
    float *turned = gg_malloc((size_t)(rows * p->rows) * sizeof *turned);
    gg_status status = GG_OK;
    for (int64_t o = 0; status == GG_OK && o < p->columns; o += rows) {
        const int64_t some = p->columns - o < rows ? p->columns - o : rows;
        gg_transpose(values + o, p->columns, p->rows, some, turned, p->rows);
        status = gg_safetensors_put(writer, turned, some * p->rows);
    }
    free(turned);
    return status;
}

static gg_status put_tensor(const struct gg_huggingface_export *e, gg_safetensors_writer *writer, int index) {
    const struct gg_parameter *p = &e->table->items[index];
    const struct gg_merged_weights weights = {e->path, e->contents, e->adapters};
    void *values;
    GG_TRY(gg_try_malloc((size_t)(p->rows * p->columns) * sizeof(float), p->name, &values));
    gg_status status = gg_merged_weights_load(&weights, e->table, p, values);
    if (status == GG_OK)
        status = gg_huggingface_transposed(e->table, p)
                     ? put_transposed(writer, p, values)
                     : gg_safetensors_put(writer, values, p->rows * p->columns);
    free(values);
    return status;
}

static gg_status write_shard(const struct gg_huggingface_export *e,
                             const struct gg_huggingface_shards *shards, int file, const char *folder) {
    const int first = shards->first[file], count = shards->first[file + 1] - first;
    char *name = gg_huggingface_shard_name(shards, file), *path = gg_format("%s/%s", folder, name);
    gg_safetensors_writer *writer;
    gg_status status = gg_safetensors_writer_create(path, shards->items + first, count, e->type, &writer);
    for (int i = first; status == GG_OK && i < first + count; i++)
        status = put_tensor(e, writer, i);
    if (status == GG_OK)
        status = gg_safetensors_writer_finish(writer);
    gg_safetensors_writer_destroy(&writer);
    free(path);
    free(name);
    return status;
}

static gg_status write_weights(const struct gg_huggingface_export *e, const char *folder) {
    struct gg_huggingface_shards shards;
    gg_status status = GG_OK;
    gg_huggingface_shards_make(e->table, e->type, e->shard_bytes, &shards);
    for (int f = 0; status == GG_OK && f < shards.count; f++)
        status = write_shard(e, &shards, f, folder);
    if (status == GG_OK && shards.count > 1) {
        char *index = gg_huggingface_shards_index(&shards);
        status = write_text(folder, "model.safetensors.index.json", index);
        free(index);
    }
    gg_huggingface_shards_free(&shards);
    return status;
}

static gg_status write_all(const struct gg_huggingface_export *e, const json_t *config,
                           const gg_tokenizer *tokenizer, const char *folder) {
    GG_TRY(write_json(folder, "config.json", config));
    if (tokenizer != NULL) {
        char *jinja = gg_chat_jinja(e->chat, tokenizer);
        const gg_status status =
            gg_tokenizer_write_huggingface(tokenizer, folder, e->settings->context, jinja);
        free(jinja);
        GG_TRY(status);
    }
    return write_weights(e, folder);
}

gg_status gg_huggingface_export(const struct gg_huggingface_export *e, const char *folder) {
    const struct gg_checkpoint_meta *meta = &e->contents->meta;
    const struct gg_merged_weights weights = {e->path, e->contents, e->adapters};
    gg_tokenizer *tokenizer = NULL;
    json_t *config = NULL;
    gg_status status = GG_OK;
    if (meta->tokenizer_json != NULL)
        status = gg_tokenizer_from_json(meta->tokenizer_json, meta->tokenizer_bytes, e->path, &tokenizer);
    const int64_t end = tokenizer != NULL ? (int64_t)gg_tokenizer_end_of_text(tokenizer) : -1;
    if (status == GG_OK)
        status = gg_huggingface_config_write(e->settings, e->table, e->type, end, &config);
    if (status == GG_USAGE)
        gg_fail_within(status, "%s: cannot be exported: %s", e->path, "its setting");
    if (status == GG_OK)
        status = gg_merged_weights_check(&weights, e->table);
    struct gg_export_folder place = {0};
    if (status == GG_OK)
        status = gg_export_folder_begin(folder, &place);
    if (status == GG_OK)
        status = write_all(e, config, tokenizer, place.temporary);
    if (status == GG_OK)
        status = gg_export_folder_finish(&place);
    gg_export_folder_end(&place);
    json_decref(config);
    gg_tokenizer_destroy(&tokenizer);
    return status;
}
