#include "io/huggingface/huggingface_import.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/json_parse.h"
#include "io/checkpoint/checkpoint_stream.h"
#include "io/huggingface/huggingface_config.h"
#include "io/huggingface/huggingface_names.h"
#include "io/huggingface/transposition.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES = 16 << 20, STRETCH = 1 << 20 /* elements that are read at once */ };

gg_status gg_huggingface_import_settings(const char *folder, struct gg_model_settings *settings) {
    char *path = gg_format("%s/config.json", folder), *text = NULL;
    size_t bytes;
    json_t *root = NULL;
    gg_status status;
    if (!gg_file_exists(folder))
        status = gg_fail(GG_STORAGE, "%s: there is no such folder", folder);
    else if (!gg_file_exists(path))
        status = gg_fail(GG_BAD_DATA, "%s: no config.json in it: not a Hugging Face folder", folder);
    else
        status = gg_file_check_regular(path);
    if (status == GG_OK)
        status = gg_file_read(path, CONFIG_BYTES, &text, &bytes);
    if (status == GG_OK) {
        status = gg_json_parse(text, bytes, &root);
        if (status == GG_OK)
            status = gg_huggingface_config_read(root, settings);
        if (status != GG_OK)
            gg_fail_within(status, "%s", path);
        json_decref(root);
        free(text);
    }
    free(path);
    return status;
}

struct importing {
    const struct gg_parameter_table *table;
    struct gg_safetensors_reader reader;
    gg_checkpoint_stream *stream;
    float *stretch; /* STRETCH elements */
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* A tensor that stands there as it does here. */
static gg_status copy_tensor(struct importing *m, int index, const struct gg_safetensors_tensor *from) {
    for (int64_t i = 0; i < from->elements; i += STRETCH) {
        const int64_t count = least(STRETCH, from->elements - i);
        GG_TRY(gg_safetensors_read(&m->reader, from, i, count, m->stretch));
        GG_TRY(gg_checkpoint_stream_put(m->stream, index, m->stretch, count));
    }
    return GG_OK;
}

/* Reads a matrix (out, in), some rows at a time, into one of (in, out). A row longer than a stretch is read in
 * pieces. */
static gg_status read_transposed(struct importing *m, const struct gg_safetensors_tensor *from,
                                 float *whole) {
    const int64_t outputs = from->sizes[0], inputs = from->sizes[1];
    const int64_t columns = least(inputs, STRETCH), rows = columns > 0 ? STRETCH / columns : 1;
    for (int64_t o = 0; o < outputs; o += rows) {
        const int64_t some = least(rows, outputs - o);
        for (int64_t i = 0; i < inputs; i += columns) {
            const int64_t width = least(columns, inputs - i);
            GG_TRY(gg_safetensors_read(&m->reader, from, o * inputs + i, some * width, m->stretch));
            gg_transpose(m->stretch, width, some, width, whole + i * outputs + o, outputs);
        }
    }
    return GG_OK;
}

static gg_status turn_tensor(struct importing *m, int index, const struct gg_safetensors_tensor *from) {
    void *whole;
    GG_TRY(gg_try_malloc((size_t)from->elements * sizeof(float), from->name, &whole));
    gg_status status = read_transposed(m, from, whole);
    if (status == GG_OK)
        status = gg_checkpoint_stream_put(m->stream, index, whole, from->elements);
    free(whole);
    return status;
}

/* A head that is said to be the embedding must be. */
static gg_status compare_head(struct importing *m, const struct gg_safetensors_tensor *head,
                              const struct gg_safetensors_tensor *embedding) {
    const int64_t half = STRETCH / 2;
    for (int64_t i = 0; i < head->elements; i += half) {
        const int64_t count = least(half, head->elements - i);
        GG_TRY(gg_safetensors_read(&m->reader, embedding, i, count, m->stretch));
        GG_TRY(gg_safetensors_read(&m->reader, head, i, count, m->stretch + half));
        if (memcmp(m->stretch, m->stretch + half, (size_t)count * sizeof(float)) != 0)
            return gg_fail(GG_BAD_DATA,
                           "%s: tensor %s differs from %s, and config.json says that they are one "
                           "(tie_word_embeddings)",
                           m->reader.set->paths[head->file], head->name, embedding->name);
    }
    return GG_OK;
}

static gg_status write_tensors(struct importing *m, const struct gg_safetensors_tensor *const *tensors,
                               const struct gg_checkpoint_meta *meta, const char *path) {
    GG_TRY(gg_checkpoint_stream_create(path, m->table, meta, &m->stream));
    for (int i = 0; i < m->table->count; i++)
        GG_TRY(gg_huggingface_transposed(m->table, &m->table->items[i]) ? turn_tensor(m, i, tensors[i])
                                                                        : copy_tensor(m, i, tensors[i]));
    return gg_checkpoint_stream_finish(m->stream);
}

gg_status gg_huggingface_import_weights(const char *folder, const struct gg_parameter_table *table,
                                        const struct gg_checkpoint_meta *meta, const char *path) {
    struct gg_safetensors set;
    GG_TRY(gg_safetensors_open(folder, &set));
    const struct gg_safetensors_tensor **tensors = gg_malloc((size_t)table->count * sizeof *tensors), *head;
    struct importing m = {.table = table, .reader = {.set = &set, .fd = -1, .file = -1}};
    m.stretch = gg_malloc(STRETCH * sizeof *m.stretch);
    gg_status status = gg_huggingface_match(table, &set, tensors, &head);
    if (status == GG_OK && head != NULL)
        status = compare_head(&m, head, tensors[0]);
    if (status == GG_OK)
        status = write_tensors(&m, tensors, meta, path);
    gg_checkpoint_stream_destroy(&m.stream);
    gg_safetensors_reader_close(&m.reader);
    free(m.stretch);
    free(tensors);
    gg_safetensors_free(&set);
    return status;
}
