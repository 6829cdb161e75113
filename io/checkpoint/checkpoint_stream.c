#include "io/checkpoint/checkpoint_stream.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/file_vector.h"
#include "io/base/hdf5_error.h"
#include "io/checkpoint/checkpoint_checksum_internal.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "io/checkpoint/checkpoint_skeleton_internal.h"
#include "io/checkpoint/checkpoint_space_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gg_checkpoint_stream {
    char *path, *temporary;
    const struct gg_parameter_table *table;
    const struct gg_checkpoint_meta *meta;
    struct gg_checkpoint_tensor *tensors; /* one for each of the table's, with the checksum so far */
    int64_t *put;                         /* elements of each that are written */
    int fd;                               /* -1: not open */
    bool made;                            /* there is a temporary file */
};

/* Makes the file with everything but the values; the checksums are not known yet, but the places are. */
static gg_status make_file(gg_checkpoint_stream *s) {
    const int64_t bytes = gg_checkpoint_bytes_needed(s->meta, s->tensors, s->table->count);
    GG_TRY(gg_checkpoint_look_for_space(s->path, bytes));
    s->made = true;
    GG_TRY(gg_checkpoint_reserve_space(s->path, s->temporary, bytes));
    GG_TRY(gg_checkpoint_write_skeleton(s->temporary, s->meta, s->tensors, s->table->count));
    s->fd = open(s->temporary, O_WRONLY | O_CLOEXEC);
    if (s->fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be opened: %s", s->temporary, strerror(errno));
    return GG_OK;
}

gg_status gg_checkpoint_stream_create(const char *path, const struct gg_parameter_table *table,
                                      const struct gg_checkpoint_meta *meta, gg_checkpoint_stream **stream) {
    gg_hdf5_quiet();
    gg_checkpoint_stream *s = *stream = gg_calloc(1, sizeof *s);
    *s = (gg_checkpoint_stream){.path = gg_strdup(path),
                                .temporary = gg_format("%s.tmp", path),
                                .table = table,
                                .meta = meta,
                                .tensors = gg_calloc((size_t)table->count, sizeof *s->tensors),
                                .put = gg_calloc((size_t)table->count, sizeof *s->put),
                                .fd = -1};
    for (int i = 0; i < table->count; i++)
        s->tensors[i] = gg_checkpoint_describe(&table->items[i], gg_checkpoint_group_name(NULL, 0).name);
    return make_file(s);
}

gg_status gg_checkpoint_stream_put(gg_checkpoint_stream *s, int index, const float *values, int64_t count) {
    struct gg_checkpoint_tensor *tensor = &s->tensors[index];
    GG_ASSERT(count <= tensor->rows * tensor->columns - s->put[index]);
    struct gg_file_vector vector = {.fd = s->fd, .write = true};
    gg_status status =
        gg_file_vector_add(&vector, tensor->offset + s->put[index] * (int64_t)sizeof(float),
                           (float *)values /* only read from */, (size_t)count * sizeof(float));
    if (status == GG_OK)
        status = gg_file_vector_move(&vector);
    if (status != GG_OK)
        return gg_fail_within(status, "%s: %s/%s: cannot be written", s->path, tensor->group, tensor->name);
    tensor->checksum += gg_checksum_run((uint64_t)s->put[index], values, count);
    s->put[index] += count;
    return GG_OK;
}

/* Writes what is around the values again, now with the checksums. */
static gg_status complete_file(gg_checkpoint_stream *s) {
    const int count = s->table->count;
    struct gg_checkpoint_tensor *again = gg_malloc((size_t)count * sizeof *again);
    memcpy(again, s->tensors, (size_t)count * sizeof *again);
    const gg_status status = gg_checkpoint_write_skeleton(s->temporary, s->meta, again, count);
    for (int i = 0; status == GG_OK && i < count; i++)
        GG_ASSERT(again[i].offset == s->tensors[i].offset);
    free(again);
    return status;
}

gg_status gg_checkpoint_stream_finish(gg_checkpoint_stream *s) {
    for (int i = 0; i < s->table->count; i++)
        GG_ASSERT(s->put[i] == s->tensors[i].rows * s->tensors[i].columns);
    GG_TRY(complete_file(s));
    const int fd = s->fd;
    s->fd = -1;
    if (close(fd) != 0)
        return gg_fail(GG_STORAGE, "%s: cannot be written: %s", s->temporary, strerror(errno));
    GG_TRY(gg_file_commit(s->temporary, s->path));
    s->made = false;
    return GG_OK;
}

void gg_checkpoint_stream_destroy(gg_checkpoint_stream **stream) {
    gg_checkpoint_stream *s = *stream;
    if (s == NULL)
        return;
    if (s->fd >= 0)
        close(s->fd);
    if (s->made)
        gg_checkpoint_remove_temporary(s->temporary);
    free(s->path);
    free(s->temporary);
    free(s->tensors);
    free(s->put);
    free(s);
    *stream = NULL;
}
