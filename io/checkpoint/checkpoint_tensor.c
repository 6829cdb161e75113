#include "io/checkpoint/checkpoint_tensor.h"

#include "io/base/file.h"
#include "io/base/file_vector.h"
#include "io/checkpoint/checkpoint_checksum_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const struct gg_checkpoint_tensor *gg_checkpoint_find_tensor(const struct gg_checkpoint_contents *contents,
                                                             const char *group, const char *name) {
    for (int i = 0; i < contents->count; i++)
        if (strcmp(contents->tensors[i].group, group) == 0 && strcmp(contents->tensors[i].name, name) == 0)
            return &contents->tensors[i];
    return NULL;
}

/* Reads in stretches, each summed up before it leaves the cache. */
static gg_status read_values(int fd, const struct gg_checkpoint_tensor *tensor, float *values,
                             uint64_t *sum) {
    enum { STRETCH = 1 << 20 };
    const int64_t elements = tensor->rows * tensor->columns;
    struct gg_file_vector vector = {.fd = fd};
    *sum = 0;
    for (int64_t i = 0; i < elements; i += STRETCH) {
        const int64_t count = elements - i < STRETCH ? elements - i : STRETCH;
        GG_TRY(gg_file_vector_add(&vector, tensor->offset + i * (int64_t)sizeof(float), values + i,
                                  (size_t)count * sizeof(float)));
        GG_TRY(gg_file_vector_move(&vector));
        *sum += gg_checksum_run((uint64_t)i, values + i, count);
    }
    return GG_OK;
}

gg_status gg_checkpoint_load_tensor(const char *path, const struct gg_checkpoint_tensor *tensor,
                                    float *values) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be opened: %s", path, strerror(errno));
    uint64_t sum;
    const gg_status status = read_values(fd, tensor, values, &sum);
    close(fd);
    if (status != GG_OK)
        return gg_fail_within(status, "%s: tensor %s/%s cannot be read", path, tensor->group, tensor->name);
    if (sum != tensor->checksum)
        return gg_fail(GG_BAD_DATA, "%s: damaged: tensor %s/%s does not fit its checksum", path,
                       tensor->group, tensor->name);
    return GG_OK;
}
