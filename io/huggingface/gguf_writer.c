#include "io/huggingface/gguf_writer.h"

#include "core/base/memory.h"
#include "core/text/growing_text.h"
#include "io/base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 3, ALIGNMENT = 32 };

/* Types of keys' values (gguf.h). */
enum value_type { UINT32 = 4, INT32 = 5, FLOAT32 = 6, BOOL = 7, STRING = 8, ARRAY = 9 };

enum { STRETCH = 1 << 16 /* elements that are rounded at once; whole blocks */ };

struct listed {
    char *name;
    enum gg_gguf_type type;
    int64_t elements;
};

struct gg_gguf_writer {
    char *path, *temporary;
    struct gg_text keys, infos; /* as the file has them */
    uint64_t key_count, offset; /* offset: of the next tensor listed */
    struct listed *tensors;
    int count, current;
    int64_t done; /* elements of the current tensor that are written */
    gg_status status;
    FILE *file;
    unsigned char *rounded;
};

void gg_gguf_writer_create(const char *path, gg_gguf_writer **writer) {
    gg_gguf_writer *w = *writer = gg_calloc(1, sizeof *w);
    w->path = gg_strdup(path);
    w->temporary = gg_format("%s.tmp", path);
    w->rounded = gg_malloc((size_t)gg_gguf_bytes(GG_GGUF_F32, STRETCH));
}

void gg_gguf_writer_destroy(gg_gguf_writer **writer) {
    gg_gguf_writer *w = *writer;
    if (w == NULL)
        return;
    if (w->file != NULL) {
        fclose(w->file);
        unlink(w->temporary);
    }
    for (int i = 0; i < w->count; i++)
        free(w->tensors[i].name);
    free(w->tensors);
    gg_text_free(&w->keys);
    gg_text_free(&w->infos);
    free(w->rounded);
    free(w->temporary);
    free(w->path);
    free(w);
    *writer = NULL;
}

static void put(gg_gguf_writer *w, struct gg_text *to, const void *bytes, size_t count) {
    if (w->status == GG_OK)
        w->status = gg_text_append(to, bytes, count);
}

static void put_text(gg_gguf_writer *w, struct gg_text *to, const char *text, size_t bytes) {
    const uint64_t length = bytes;
    put(w, to, &length, sizeof length);
    put(w, to, text, bytes);
}

static void put_key(gg_gguf_writer *w, const char *key, uint32_t type) {
    put_text(w, &w->keys, key, strlen(key));
    put(w, &w->keys, &type, sizeof type);
    w->key_count++;
}

void gg_gguf_put_uint32(gg_gguf_writer *w, const char *key, uint32_t value) {
    put_key(w, key, UINT32);
    put(w, &w->keys, &value, sizeof value);
}

void gg_gguf_put_float(gg_gguf_writer *w, const char *key, float value) {
    put_key(w, key, FLOAT32);
    put(w, &w->keys, &value, sizeof value);
}

void gg_gguf_put_bool(gg_gguf_writer *w, const char *key, bool value) {
    const unsigned char byte = value;
    put_key(w, key, BOOL);
    put(w, &w->keys, &byte, sizeof byte);
}

void gg_gguf_put_text(gg_gguf_writer *w, const char *key, const char *text) {
    put_key(w, key, STRING);
    put_text(w, &w->keys, text, strlen(text));
}

static void put_list(gg_gguf_writer *w, const char *key, uint32_t type, uint64_t count) {
    put_key(w, key, ARRAY);
    put(w, &w->keys, &type, sizeof type);
    put(w, &w->keys, &count, sizeof count);
}

void gg_gguf_put_texts(gg_gguf_writer *w, const char *key, uint64_t count) {
    put_list(w, key, STRING, count);
}

void gg_gguf_add_text(gg_gguf_writer *w, const char *text, size_t bytes) {
    put_text(w, &w->keys, text, bytes);
}

void gg_gguf_put_int32s(gg_gguf_writer *w, const char *key, uint64_t count) {
    put_list(w, key, INT32, count);
}

void gg_gguf_add_int32(gg_gguf_writer *w, int32_t value) {
    put(w, &w->keys, &value, sizeof value);
}

static uint64_t aligned(uint64_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void gg_gguf_add_tensor(gg_gguf_writer *w, const char *name, int dimensions, int64_t rows, int64_t columns,
                        enum gg_gguf_type type) {
    GG_ASSERT(strlen(name) < 64 && (type != GG_GGUF_Q8_0 || columns % GG_GGUF_BLOCK == 0));
    w->tensors = gg_realloc(w->tensors, ((size_t)w->count + 1) * sizeof *w->tensors);
    w->tensors[w->count++] = (struct listed){gg_strdup(name), type, rows * columns};
    const uint32_t dimension_count = (uint32_t)dimensions, code = type;
    const uint64_t sizes[2] = {(uint64_t)columns, (uint64_t)rows};
    put_text(w, &w->infos, name, strlen(name));
    put(w, &w->infos, &dimension_count, sizeof dimension_count);
    put(w, &w->infos, sizes, (size_t)dimensions * sizeof *sizes);
    put(w, &w->infos, &code, sizeof code);
    put(w, &w->infos, &w->offset, sizeof w->offset);
    w->offset = aligned(w->offset + (uint64_t)gg_gguf_bytes(type, rows * columns));
}

static gg_status write_bytes(gg_gguf_writer *w, const void *data, size_t bytes) {
    errno = EIO;
    if (bytes > 0 && fwrite(data, 1, bytes, w->file) != bytes)
        return gg_fail(gg_file_status(errno), "%s: cannot be written: %s", w->temporary, strerror(errno));
    return GG_OK;
}

/* Fills up with zeros behind so many bytes. */
static gg_status write_padding(gg_gguf_writer *w, uint64_t behind) {
    static const char zeros[ALIGNMENT] = {0};
    return write_bytes(w, zeros, (size_t)(aligned(behind) - behind));
}

gg_status gg_gguf_writer_begin(gg_gguf_writer *w) {
    const uint32_t version = VERSION;
    const uint64_t tensor_count = (uint64_t)w->count;
    if (w->status != GG_OK)
        return gg_fail_within(w->status, "%s", w->path);
    w->file = fopen(w->temporary, "wb");
    if (w->file == NULL)
        return gg_fail(gg_file_status(errno), "%s: cannot be created: %s", w->temporary, strerror(errno));
    const size_t fixed = 4 + sizeof version + sizeof tensor_count + sizeof w->key_count;
    GG_TRY(write_bytes(w, "GGUF", 4));
    GG_TRY(write_bytes(w, &version, sizeof version));
    GG_TRY(write_bytes(w, &tensor_count, sizeof tensor_count));
    GG_TRY(write_bytes(w, &w->key_count, sizeof w->key_count));
    GG_TRY(write_bytes(w, w->keys.bytes, w->keys.count));
    GG_TRY(write_bytes(w, w->infos.bytes, w->infos.count));
    return write_padding(w, fixed + w->keys.count + w->infos.count);
}

gg_status gg_gguf_writer_values(gg_gguf_writer *w, const float *values, int64_t count) {
    GG_ASSERT(w->current < w->count);
    const struct listed *tensor = &w->tensors[w->current];
    GG_ASSERT(count <= tensor->elements - w->done);
    for (int64_t i = 0; i < count; i += STRETCH) {
        const int64_t some = count - i < STRETCH ? count - i : STRETCH;
        const gg_status status = gg_gguf_round(tensor->type, values + i, some, w->rounded);
        if (status != GG_OK)
            return gg_fail_within(status, "tensor %s", tensor->name);
        GG_TRY(write_bytes(w, w->rounded, (size_t)gg_gguf_bytes(tensor->type, some)));
    }
    w->done += count;
    if (w->done < tensor->elements)
        return GG_OK;
    w->done = 0;
    w->current++;
    return write_padding(w, (uint64_t)gg_gguf_bytes(tensor->type, tensor->elements));
}

gg_status gg_gguf_writer_finish(gg_gguf_writer *w) {
    GG_ASSERT(w->current == w->count);
    errno = EIO;
    const bool closed = fclose(w->file) == 0;
    w->file = NULL;
    if (!closed) {
        const gg_status status =
            gg_fail(gg_file_status(errno), "%s: cannot be written: %s", w->temporary, strerror(errno));
        unlink(w->temporary);
        return status;
    }
    return gg_file_commit(w->temporary, w->path);
}
