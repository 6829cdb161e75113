#include "core/kernels/storage.h"
#include "io/base/file.h"
#include "io/base/file_vector.h"
#include "io/huggingface/half.h"
#include "io/huggingface/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors hold little-endian numbers");

static gg_status open_file(struct gg_safetensors_reader *r, int file) {
    if (r->file == file)
        return GG_OK;
    gg_safetensors_reader_close(r);
    r->fd = open(r->set->paths[file], O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return gg_fail(gg_file_status(errno), "%s: %s", r->set->paths[file], strerror(errno));
    r->file = file;
    return GG_OK;
}

void gg_safetensors_reader_close(struct gg_safetensors_reader *r) {
    if (r->fd >= 0)
        close(r->fd);
    r->fd = r->file = -1;
}

/* Widens `count` numbers of two bytes, which fill the second half of the values' memory. */
static void widen(int type, int64_t count, float *values) {
    const char *from = (const char *)values + (size_t)count * sizeof(uint16_t);
    for (int64_t i = 0; i < count; i++) {
        uint16_t stored;
        memcpy(&stored, from + (size_t)i * sizeof stored, sizeof stored);
        values[i] = type == GG_SAFETENSORS_BF16 ? gg_bf16_value(stored) : gg_half_value(stored);
    }
}

gg_status gg_safetensors_read(struct gg_safetensors_reader *r, const struct gg_safetensors_tensor *t,
                              int64_t first, int64_t count, float *values) {
    GG_ASSERT(t->type < GG_SAFETENSORS_READABLE && first >= 0 && count >= 0 && count <= t->elements - first);
    GG_TRY(open_file(r, t->file));
    const size_t size = t->type == GG_SAFETENSORS_F32 ? sizeof(float) : sizeof(uint16_t);
    const size_t bytes = (size_t)count * size;
    char *memory = (char *)values + ((size_t)count * sizeof(float) - bytes);
    struct gg_file_vector vector = {.fd = r->fd};
    gg_status status = gg_file_vector_add(&vector, t->offset + first * (int64_t)size, memory, bytes);
    if (status == GG_OK)
        status = gg_file_vector_move(&vector);
    if (status != GG_OK)
        return gg_fail_within(status, "%s: tensor %.100s cannot be read", r->set->paths[t->file], t->name);
    if (t->type != GG_SAFETENSORS_F32)
        widen(t->type, count, values);
    return GG_OK;
}
