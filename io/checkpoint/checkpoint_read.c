/* Reading a checkpoint's tensors: into the ranks' parts, or past a checksum only. */
#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/file_vector.h"
#include "io/checkpoint/checkpoint_checksum_internal.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "io/checkpoint/checkpoint_tensor.h"
#include "io/checkpoint/checkpoint_transfer_internal.h"
#include "mpi/world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERIFY_BYTES = 16 << 20 };

gg_status gg_checkpoint_check_tensors(const char *path, const struct gg_checkpoint_contents *contents,
                                      const struct gg_parameter_table *table,
                                      const struct gg_optimizer_kind *optimizer, const char *unused) {
    for (int g = 0; g < gg_checkpoint_group_count(optimizer); g++) {
        for (int i = 0; i < table->count; i++) {
            const struct gg_parameter *p = &table->items[i];
            const struct gg_checkpoint_tensor *t =
                gg_checkpoint_find_tensor(contents, gg_checkpoint_group_name(optimizer, g).name, p->name);
            if (t == NULL && g > 0)
                return gg_fail(GG_BAD_DATA,
                               "%s: holds no optimizer state for tensor %s; training cannot go "
                               "on from it",
                               path, p->name);
            if (t == NULL)
                return gg_fail(GG_BAD_DATA, "%s: tensor %s is not in it; it is of another model", path,
                               p->name);
            if (t->rows != p->rows || t->columns != p->columns || t->dimensions != p->dimensions)
                return gg_fail(GG_BAD_DATA,
                               "%s: tensor %s is %lld x %lld there and %lld x %lld in the model set", path,
                               p->name, (long long)t->rows, (long long)t->columns, (long long)p->rows,
                               (long long)p->columns);
        }
    }
    for (int i = 0; i < contents->count; i++)
        if (gg_parameter_find(table, contents->tensors[i].name) < 0 &&
            (unused == NULL || strcmp(contents->tensors[i].name, unused) != 0))
            return gg_fail(GG_BAD_DATA, "%s: holds a tensor %s that the model does not have", path,
                           contents->tensors[i].name);
    return GG_OK;
}

/* Where a share's tensor stands in the file. */
static int64_t tensor_offset(const struct gg_checkpoint_contents *contents,
                             const struct gg_checkpoint_share *share, int index) {
    const struct gg_parameter_table *table = share->table;
    return gg_checkpoint_find_tensor(contents,
                                     gg_checkpoint_group_name(share->optimizer, index / table->count).name,
                                     table->items[index % table->count].name)
        ->offset;
}

/* Reads this rank's share; the system reads the next tensor while one is summed up.
 *   sums [out] (groups x table->count) checksums of what was read */
static gg_status read_tensors(int fd, const char *path, const struct gg_checkpoint_contents *contents,
                              const struct gg_checkpoint_share *share, uint64_t *sums) {
    const int count = gg_checkpoint_share_groups(share) * share->table->count;
    for (int i = 0; i < count; i++) {
        if (i + 1 < count)
            gg_checkpoint_prefetch_tensor(fd, tensor_offset(contents, share, i + 1), share, i + 1);
        const gg_status status =
            gg_checkpoint_read_tensor(fd, tensor_offset(contents, share, i), share, i, &sums[i]);
        if (status != GG_OK)
            return gg_fail_within(status, "%s", path);
    }
    return GG_OK;
}

/* Every token shard has read what is replicated, so that its sum counts once for each. */
static gg_status compare_sums(const char *path, const struct gg_checkpoint_contents *contents,
                              const struct gg_checkpoint_share *share, const uint64_t *sums) {
    const struct gg_parameter_table *table = share->table;
    for (int i = 0; i < gg_checkpoint_share_groups(share) * table->count; i++) {
        const struct gg_parameter *p = &table->items[i % table->count];
        const struct gg_checkpoint_group group = gg_checkpoint_group_name(share->optimizer, i / table->count);
        const uint64_t times = gg_parameter_replicated(p) ? (uint64_t)table->shards.token_shards : 1;
        if (sums[i] != times * gg_checkpoint_find_tensor(contents, group.name, p->name)->checksum)
            return gg_fail(GG_BAD_DATA, "%s: damaged: tensor %s/%s does not fit its checksum", path,
                           group.name, p->name);
    }
    return GG_OK;
}

/* Opens the file and reads this rank's share. Local.
 *   sums [out] as read_tensors */
static gg_status read_file(const char *path, const struct gg_checkpoint_contents *contents,
                           const struct gg_checkpoint_share *share, uint64_t *sums) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be opened: %s", path, strerror(errno));
    const gg_status status = read_tensors(fd, path, contents, share, sums);
    close(fd);
    return status;
}

gg_status gg_checkpoint_read_share(MPI_Comm comm, const char *path, const struct gg_checkpoint_share *share) {
    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_open(comm, path, &contents));
    gg_status status =
        gg_checkpoint_check_tensors(path, &contents, share->table, share->optimizer, share->unused);
    if (status == GG_OK) {
        const int count = gg_checkpoint_share_groups(share) * share->table->count;
        uint64_t *sums = gg_calloc((size_t)count, sizeof *sums);
        status = gg_agree(comm, read_file(path, &contents, share, sums));
        if (status == GG_OK) {
            MPI_Allreduce(MPI_IN_PLACE, sums, count, MPI_UINT64_T, MPI_SUM, comm);
            status = compare_sums(path, &contents, share, sums);
        }
        free(sums);
    }
    gg_checkpoint_contents_free(&contents);
    return status;
}

gg_status gg_checkpoint_read(MPI_Comm comm, const char *path, const struct gg_parameter_table *table,
                             float *weights, const struct gg_optimizer_kind *optimizer,
                             float *const *states) {
    const struct gg_range all = {0, table->local_elements, 0};
    struct gg_checkpoint_share share = {
        .table = table, .ranges = &all, .range_count = 1, .optimizer = optimizer, .values = {weights}};
    for (int g = 1; g < gg_checkpoint_share_groups(&share); g++)
        share.values[g] = states[g - 1];
    return gg_checkpoint_read_share(comm, path, &share);
}

/* The checksum of one tensor in the file, through a buffer of VERIFY_BYTES. */
static gg_status sum_tensor(int fd, const struct gg_checkpoint_tensor *t, float *buffer, uint64_t *sum) {
    const int64_t capacity = VERIFY_BYTES / (int64_t)sizeof(float), elements = t->rows * t->columns;
    struct gg_file_vector vector = {.fd = fd};
    gg_status status = GG_OK;
    *sum = 0;
    for (int64_t i = 0; status == GG_OK && i < elements; i += capacity) {
        const int64_t count = elements - i < capacity ? elements - i : capacity;
        status = gg_file_vector_add(&vector, t->offset + i * (int64_t)sizeof(float), buffer,
                                    (size_t)count * sizeof(float));
        if (status == GG_OK)
            status = gg_file_vector_move(&vector);
        if (status == GG_OK)
            *sum += gg_checksum_run((uint64_t)i, buffer, count);
    }
    return status == GG_OK ? GG_OK : gg_fail_within(status, "tensor %s/%s cannot be read", t->group, t->name);
}

gg_status gg_checkpoint_verify(const char *path, const struct gg_checkpoint_contents *contents, bool *good) {
    void *buffer;
    GG_TRY(gg_try_malloc(VERIFY_BYTES, "verifying a checkpoint", &buffer));
    const struct gg_checkpoint_tensor *first_bad = NULL;
    gg_status status = GG_OK;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        status = gg_fail(gg_file_status(errno), "%s: cannot be opened: %s", path, strerror(errno));
    for (int i = 0; status == GG_OK && i < contents->count; i++) {
        const struct gg_checkpoint_tensor *tensor = &contents->tensors[i];
        uint64_t sum;
        status = sum_tensor(fd, tensor, buffer, &sum);
        if (status != GG_OK)
            gg_fail_within(status, "%s", path);
        const bool fits = sum == tensor->checksum;
        if (good != NULL)
            good[i] = fits;
        if (!fits && first_bad == NULL)
            first_bad = tensor;
    }
    if (fd >= 0)
        close(fd);
    free(buffer);
    if (status == GG_OK && first_bad != NULL)
        return gg_fail(GG_BAD_DATA, "%s: damaged: tensor %s/%s does not fit its checksum", path,
                       first_bad->group, first_bad->name);
    return status;
}
