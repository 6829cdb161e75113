#include "io/huggingface/safetensors_write.h"

#include "core/base/memory.h"
#include "core/kernels/storage.h"
#include "io/base/file.h"
#include "io/base/file_vector.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STRETCH = 1 << 18 }; /* elements that are rounded at once */

struct gg_safetensors_writer {
    char *path;
    int fd;
    enum gg_safetensors_type type;
    int64_t at, end; /* bytes written, and of the whole file */
    gg_bf16 *rounded;
};

static int64_t type_bytes(enum gg_safetensors_type type) {
    return type == GG_SAFETENSORS_F32 ? (int64_t)sizeof(float) : (int64_t)sizeof(gg_bf16);
}

int64_t gg_safetensors_item_bytes(const struct gg_safetensors_item *item, enum gg_safetensors_type type) {
    int64_t bytes = type_bytes(type);
    for (int i = 0; i < item->dimensions; i++)
        bytes *= item->sizes[i];
    return bytes;
}

/* The header, filled up with blanks so that the data begin at a multiple of eight bytes; owned by the caller.
 *   bytes      [out] of the header
 *   data_bytes [out] that are to follow it */
static char *make_header(const struct gg_safetensors_item *items, int count, enum gg_safetensors_type type,
                         size_t *bytes, int64_t *data_bytes) {
    json_t *root = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    *data_bytes = 0;
    for (int i = 0; i < count; i++) {
        const int64_t begin = *data_bytes;
        json_t *shape = json_array();
        for (int k = 0; k < items[i].dimensions; k++)
            json_array_append_new(shape, json_integer((json_int_t)items[i].sizes[k]));
        *data_bytes += gg_safetensors_item_bytes(&items[i], type);
        json_object_set_new(root, items[i].name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                                      type == GG_SAFETENSORS_F32 ? "F32" : "BF16", "shape", shape,
                                      "data_offsets", (json_int_t)begin, (json_int_t)*data_bytes));
    }
    const size_t written = json_dumpb(root, NULL, 0, JSON_COMPACT);
    GG_ASSERT(written > 0);
    *bytes = (written + 7) / 8 * 8;
    char *text = gg_malloc(*bytes);
    memset(text, ' ', *bytes);
    json_dumpb(root, text, written, JSON_COMPACT);
    json_decref(root);
    return text;
}

static gg_status write_bytes(gg_safetensors_writer *w, const void *data, size_t bytes) {
    struct gg_file_vector vector = {.fd = w->fd, .write = true};
    gg_status status = gg_file_vector_add(&vector, w->at, (void *)data /* only read from */, bytes);
    if (status == GG_OK)
        status = gg_file_vector_move(&vector);
    w->at += (int64_t)bytes;
    return status == GG_OK ? GG_OK : gg_fail_within(status, "%s: cannot be written", w->path);
}

gg_status gg_safetensors_writer_create(const char *path, const struct gg_safetensors_item *items, int count,
                                       enum gg_safetensors_type type, gg_safetensors_writer **writer) {
    gg_safetensors_writer *w = *writer = gg_calloc(1, sizeof *w);
    *w = (gg_safetensors_writer){.path = gg_strdup(path), .type = type};
    w->rounded = gg_malloc(STRETCH * sizeof *w->rounded);
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be created: %s", path, strerror(errno));
    size_t bytes;
    int64_t data_bytes;
    char *header = make_header(items, count, type, &bytes, &data_bytes);
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)bytes >> (8 * i));
    w->end = 8 + (int64_t)bytes + data_bytes;
    gg_status status = write_bytes(w, length, sizeof length);
    if (status == GG_OK)
        status = write_bytes(w, header, bytes);
    free(header);
    return status;
}

gg_status gg_safetensors_put(gg_safetensors_writer *w, const float *values, int64_t count) {
    GG_ASSERT(count * type_bytes(w->type) <= w->end - w->at);
    if (w->type == GG_SAFETENSORS_F32)
        return write_bytes(w, values, (size_t)count * sizeof *values);
    for (int64_t i = 0; i < count; i += STRETCH) {
        const int64_t some = count - i < STRETCH ? count - i : STRETCH;
        for (int64_t k = 0; k < some; k++)
            w->rounded[k] = gg_bf16_round(values[i + k]);
        GG_TRY(write_bytes(w, w->rounded, (size_t)some * sizeof *w->rounded));
    }
    return GG_OK;
}

gg_status gg_safetensors_writer_finish(gg_safetensors_writer *w) {
    GG_ASSERT(w->at == w->end);
    const int fd = w->fd;
    const bool flushed = fsync(fd) == 0;
    w->fd = -1;
    if (!flushed || close(fd) != 0)
        return gg_fail(GG_STORAGE, "%s: cannot be flushed to disk: %s", w->path, strerror(errno));
    return GG_OK;
}

void gg_safetensors_writer_destroy(gg_safetensors_writer **writer) {
    gg_safetensors_writer *w = *writer;
    if (w == NULL)
        return;
    if (w->fd >= 0)
        close(w->fd);
    free(w->rounded);
    free(w->path);
    free(w);
    *writer = NULL;
}
