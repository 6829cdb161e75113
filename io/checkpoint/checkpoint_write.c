#include "io/checkpoint/checkpoint.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/hdf5_error.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "io/checkpoint/checkpoint_skeleton_internal.h"
#include "io/checkpoint/checkpoint_transfer_internal.h"
#include "mpi/world/patience.h"
#include "mpi/world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What one write is about; the same on every rank but for the values. */
struct writing {
    MPI_Comm comm;
    int rank;
    const char *path;
    char *temporary;
    const struct gg_checkpoint_share *share;
    const struct gg_checkpoint_meta *meta;
    int count;
    struct gg_checkpoint_tensor *tensors; /* groups x table->count */
};

/* More than the file will need: metadata are some hundred bytes a tensor, and data are aligned. */
static int64_t bytes_needed(const struct writing *w) {
    int64_t bytes =
        (int64_t)(1 << 20) + (int64_t)w->meta->tokenizer_bytes + (int64_t)strlen(w->meta->settings_yaml);
    for (int i = 0; i < w->count; i++)
        bytes += w->tensors[i].rows * w->tensors[i].columns * (int64_t)sizeof(float) + 8192;
    return bytes;
}

static gg_status look_for_space(const struct writing *w) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < (rlim_t)bytes_needed(w))
        return gg_fail(GG_STORAGE,
                       "%s: not written: it needs %.1f MiB, and files are limited to %.1f (ulimit -f)",
                       w->path, (double)bytes_needed(w) / 1048576.0, (double)limit.rlim_cur / 1048576.0);
    char *copy = gg_strdup(w->path);
    const char *folder = dirname(copy);
    struct statvfs info;
    gg_status status = GG_OK;
    if (statvfs(folder, &info) != 0) {
        status = gg_fail(GG_STORAGE, "%s: the folder cannot be used: %s", folder, strerror(errno));
    } else {
        const double available = (double)info.f_bavail * (double)info.f_frsize;
        if (available < (double)bytes_needed(w))
            status = gg_fail(GG_STORAGE, "%s: not written: it needs %.1f MiB and %.1f MiB are free", w->path,
                             (double)bytes_needed(w) / 1048576.0, available / 1048576.0);
    }
    free(copy);
    return status;
}

/* Makes the file and takes its space on the disk, so that a full disk or a quota shows here and not in the
 * middle of the writing. File systems that cannot do it are left alone. */
static gg_status reserve_space(const struct writing *w) {
    /* Never the file of an earlier try: a rank of a killed run may still hold that one open. */
    unlink(w->temporary);
    const int fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be created: %s", w->temporary, strerror(errno));
    const int result = fallocate(fd, 0, 0, bytes_needed(w)), error = errno;
    close(fd);
    if (result != 0 && error != EOPNOTSUPP && error != ENOSYS)
        return gg_fail(GG_STORAGE, "%s: no room for %.1f MiB: %s", w->path,
                       (double)bytes_needed(w) / 1048576.0, strerror(error));
    return GG_OK;
}

/* Fills in the checksums: each rank's share, and the sum over the ranks. Collective. */
static void compute_checksums(struct writing *w) {
    const struct gg_parameter_table *table = w->share->table;
    uint64_t *sums = gg_calloc((size_t)w->count, sizeof *sums);
    for (int i = 0; i < w->count; i++)
        if (gg_parameter_owned(table, &table->items[i % table->count]))
            sums[i] = gg_checkpoint_sum_tensor(w->share, i);
    gg_barrier_patiently(w->comm);
    MPI_Allreduce(MPI_IN_PLACE, sums, w->count, MPI_UINT64_T, MPI_SUM, w->comm);
    for (int i = 0; i < w->count; i++)
        w->tensors[i].checksum = sums[i];
    free(sums);
}

/* Writes this rank's share, down to the storage: the file is to be whole there before it gets its name.
 * Local. */
static gg_status write_values(const struct writing *w) {
    const int fd = open(w->temporary, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be opened: %s", w->temporary, strerror(errno));
    gg_status status = GG_OK;
    for (int i = 0; status == GG_OK && i < w->count; i++)
        status = gg_checkpoint_write_tensor(fd, w->tensors[i].offset, w->share, i);
    if (status == GG_OK && fsync(fd) != 0)
        status = gg_fail(GG_STORAGE, "cannot be flushed to disk: %s", strerror(errno));
    if (close(fd) != 0 && status == GG_OK)
        status = gg_fail(GG_STORAGE, "cannot be closed: %s", strerror(errno));
    return status == GG_OK ? GG_OK : gg_fail_within(status, "%s", w->path);
}

/* Rank 0 makes the file without the values, then all write theirs. No rank waits for another before all of
 * its own is written. Collective. */
static gg_status write_file(struct writing *w) {
    gg_status status = GG_OK;
    if (w->rank == 0) {
        status = reserve_space(w);
        if (status == GG_OK)
            status = gg_checkpoint_write_skeleton(w->temporary, w->meta, w->tensors, w->count);
    }
    GG_TRY(gg_agree_patiently(w->comm, status));
    MPI_Bcast(w->tensors, gg_int(w->count * (int64_t)sizeof *w->tensors), MPI_BYTE, 0, w->comm);
    return gg_agree_patiently(w->comm, write_values(w));
}

/* Gives the space back at once, though the file may still be open. */
static void remove_temporary(const struct writing *w) {
    const int fd = open(w->temporary, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    unlink(w->temporary);
}

gg_status gg_checkpoint_write_share(MPI_Comm comm, const char *path, const struct gg_checkpoint_share *share,
                                    const struct gg_checkpoint_meta *meta) {
    const struct gg_parameter_table *table = share->table;
    gg_hdf5_quiet();
    struct writing w = {.comm = comm, .path = path, .share = share, .meta = meta};
    MPI_Comm_rank(comm, &w.rank);
    w.count = gg_checkpoint_share_groups(share) * table->count;
    w.temporary = gg_format("%s.tmp", path);
    w.tensors = gg_malloc((size_t)w.count * sizeof *w.tensors);
    for (int i = 0; i < w.count; i++)
        w.tensors[i] =
            gg_checkpoint_describe(&table->items[i % table->count],
                                   gg_checkpoint_group_name(share->optimizer, i / table->count).name);
    gg_status status = gg_agree_patiently(comm, w.rank == 0 ? look_for_space(&w) : GG_OK);
    if (status == GG_OK) {
        compute_checksums(&w);
        status = write_file(&w);
        if (status == GG_OK)
            status = gg_agree_patiently(comm, w.rank == 0 ? gg_file_commit(w.temporary, path) : GG_OK);
        else if (w.rank == 0)
            remove_temporary(&w);
    }
    free(w.tensors);
    free(w.temporary);
    return status;
}

gg_status gg_checkpoint_write(MPI_Comm comm, const char *path, const struct gg_parameter_table *table,
                              const float *weights, const struct gg_optimizer_kind *optimizer,
                              float *const *states, const struct gg_checkpoint_meta *meta) {
    const struct gg_range all = {0, table->local_elements, 0};
    struct gg_checkpoint_share share = {
        .table = table,
        .ranges = &all,
        .range_count = 1,
        .optimizer = optimizer,
        .values = {(float *)weights}, /* only read from */
    };
    for (int g = 1; g < gg_checkpoint_share_groups(&share); g++)
        share.values[g] = states[g - 1];
    return gg_checkpoint_write_share(comm, path, &share, meta);
}
