/* Reading a checkpoint's tensors: into the ranks' parts, or past a checksum only. */
#include "core/base/memory.h"
#include "io/checkpoint_checksum.h"
#include "io/checkpoint_file.h"
#include "io/checkpoint_format.h"
#include "io/checkpoint_transfer.h"
#include "io/hdf5_error.h"
#include "mpi/world.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERIFY_BYTES = 16 << 20 };

static const struct gg_checkpoint_tensor *find_tensor(const struct gg_checkpoint_contents *contents,
                                                      const char *group, const char *name) {
    for (int i = 0; i < contents->count; i++)
        if (strcmp(contents->tensors[i].group, group) == 0 && strcmp(contents->tensors[i].name, name) == 0)
            return &contents->tensors[i];
    return NULL;
}

/* Whether the file's tensors are the table's: the same names and shapes, none missing and none too many. */
static gg_status check_shapes(const char *path, const struct gg_checkpoint_contents *contents,
                              const struct gg_parameter_table *table, int groups) {
    for (int g = 0; g < groups; g++) {
        for (int i = 0; i < table->count; i++) {
            const struct gg_parameter *p = &table->items[i];
            const struct gg_checkpoint_tensor *t = find_tensor(contents, gg_checkpoint_groups[g], p->name);
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
        if (gg_parameter_find(table, contents->tensors[i].name) < 0)
            return gg_fail(GG_BAD_DATA, "%s: holds a tensor %s that the model does not have", path,
                           contents->tensors[i].name);
    return GG_OK;
}

/* Reads this rank's share; the system reads the next tensor while one is summed up.
 *   sums [out] (groups x table->count) checksums of what was read */
static gg_status read_tensors(const char *path, const struct gg_checkpoint_share *share,
                              const hid_t *datasets, uint64_t *sums) {
    const int count = gg_checkpoint_share_groups(share) * share->table->count;
    const int fd = open(path, O_RDONLY | O_CLOEXEC); /* for hints only: it may fail */
    gg_status status = GG_OK;
    for (int i = 0; status == GG_OK && i < count; i++) {
        if (fd >= 0 && i + 1 < count)
            gg_checkpoint_prefetch_tensor(fd, datasets[i + 1], share, i + 1);
        status = gg_checkpoint_read_tensor(datasets[i], share, i, &sums[i]);
    }
    if (fd >= 0)
        close(fd);
    return status;
}

/* Every token shard has read what is repeated, so that its sum counts once for each. */
static gg_status compare_sums(const char *path, const struct gg_checkpoint_contents *contents,
                              const struct gg_checkpoint_share *share, const uint64_t *sums) {
    const struct gg_parameter_table *table = share->table;
    for (int i = 0; i < gg_checkpoint_share_groups(share) * table->count; i++) {
        const struct gg_parameter *p = &table->items[i % table->count];
        const char *group = gg_checkpoint_groups[i / table->count];
        const uint64_t times = gg_parameter_repeated(p) ? (uint64_t)table->shards.token_shards : 1;
        if (sums[i] != times * find_tensor(contents, group, p->name)->checksum)
            return gg_fail(GG_BAD_DATA, "%s: damaged: tensor %s/%s does not fit its checksum", path, group,
                           p->name);
    }
    return GG_OK;
}

static gg_status read_open_file(MPI_Comm comm, hid_t file, const char *path,
                                const struct gg_checkpoint_contents *contents,
                                const struct gg_checkpoint_share *share) {
    const int count = gg_checkpoint_share_groups(share) * share->table->count;
    hid_t *datasets = gg_malloc((size_t)count * sizeof *datasets);
    uint64_t *sums = gg_calloc((size_t)count, sizeof *sums);
    gg_status status = gg_checkpoint_open_tensors(file, share, datasets);
    if (status == GG_OK)
        status = read_tensors(path, share, datasets, sums);
    if (status != GG_OK)
        gg_fail_within(status, "%s", path);
    gg_checkpoint_close_tensors(share, datasets);
    status = gg_agree(comm, status);
    if (status == GG_OK) {
        MPI_Allreduce(MPI_IN_PLACE, sums, count, MPI_UINT64_T, MPI_SUM, comm);
        status = compare_sums(path, contents, share, sums);
    }
    free(datasets);
    free(sums);
    return status;
}

gg_status gg_checkpoint_read_share(MPI_Comm comm, const char *path, const struct gg_checkpoint_share *share) {
    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_open(comm, path, &contents));
    gg_status status = check_shapes(path, &contents, share->table, gg_checkpoint_share_groups(share));
    if (status == GG_OK) {
        const hid_t file = gg_checkpoint_open_together(comm, path, false);
        status = gg_agree(comm, file >= 0 ? GG_OK : gg_hdf5_fail(GG_STORAGE, "%s: cannot be opened", path));
        if (status == GG_OK)
            status = read_open_file(comm, file, path, &contents, share);
        if (file >= 0)
            H5Fclose(file);
    }
    gg_checkpoint_contents_free(&contents);
    return status;
}

gg_status gg_checkpoint_read(MPI_Comm comm, const char *path, const struct gg_parameter_table *table,
                             float *weights, float *moment1, float *moment2) {
    GG_ASSERT((moment1 == NULL) == (moment2 == NULL));
    const struct gg_range all = {0, table->local_elements, 0};
    const struct gg_checkpoint_share share = {
        .table = table, .ranges = &all, .range_count = 1, .values = {weights, moment1, moment2}};
    return gg_checkpoint_read_share(comm, path, &share);
}

/* The checksum of one tensor in the file, through a buffer of VERIFY_BYTES. */
static gg_status sum_tensor(hid_t dataset, const struct gg_checkpoint_tensor *t, float *buffer,
                            uint64_t *sum) {
    const int64_t capacity = VERIFY_BYTES / (int64_t)sizeof(float);
    const int skip = 2 - t->dimensions;
    const hid_t space = H5Dget_space(dataset);
    bool good = space >= 0;
    *sum = 0;
    for (int64_t row = 0, column = 0; good && row < t->rows && t->columns > 0;) {
        /* Whole rows where they fit into the buffer, else a piece of one. */
        const int64_t columns = t->columns - column < capacity ? t->columns - column : capacity;
        int64_t rows = column == 0 && columns == t->columns ? capacity / columns : 1;
        if (rows > t->rows - row)
            rows = t->rows - row;
        const hsize_t start[2] = {(hsize_t)row, (hsize_t)column},
                      count[2] = {(hsize_t)rows, (hsize_t)columns}, length = (hsize_t)(rows * columns);
        const hid_t memory = H5Screate_simple(1, &length, NULL);
        good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start + skip, NULL, count + skip, NULL) >= 0 &&
               H5Dread(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, buffer) >= 0;
        H5Sclose(memory);
        if (good)
            *sum += gg_checksum_run((uint64_t)(row * t->columns + column), buffer, rows * columns);
        column += columns;
        if (column == t->columns) {
            column = 0;
            row += rows;
        }
    }
    H5Sclose(space);
    return good ? GG_OK : gg_hdf5_fail(GG_STORAGE, "tensor %s/%s cannot be read", t->group, t->name);
}

gg_status gg_checkpoint_verify(const char *path, const struct gg_checkpoint_contents *contents, bool *good) {
    void *buffer;
    GG_TRY(gg_try_malloc(VERIFY_BYTES, "verifying a checkpoint", &buffer));
    gg_hdf5_quiet();
    const struct gg_checkpoint_tensor *first_bad = NULL;
    gg_status status = GG_OK;
    const hid_t file = gg_checkpoint_open_local(path);
    if (file < 0)
        status = gg_hdf5_fail(GG_BAD_DATA, "%s: cannot be opened", path);
    for (int i = 0; status == GG_OK && i < contents->count; i++) {
        const struct gg_checkpoint_tensor *tensor = &contents->tensors[i];
        const hid_t dataset = gg_checkpoint_open_tensor(file, tensor);
        uint64_t sum = 0;
        status = sum_tensor(dataset, tensor, buffer, &sum);
        if (status != GG_OK)
            gg_fail_within(status, "%s", path);
        H5Dclose(dataset);
        const bool fits = sum == tensor->checksum;
        if (good != NULL)
            good[i] = fits;
        if (!fits && first_bad == NULL)
            first_bad = tensor;
    }
    if (file >= 0)
        H5Fclose(file);
    free(buffer);
    if (status == GG_OK && first_bad != NULL)
        return gg_fail(GG_BAD_DATA, "%s: damaged: tensor %s/%s does not fit its checksum", path,
                       first_bad->group, first_bad->name);
    return status;
}
