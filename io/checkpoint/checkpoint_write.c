#include "io/checkpoint/checkpoint.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/hdf5_error.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "io/checkpoint/checkpoint_skeleton_internal.h"
#include "io/checkpoint/checkpoint_space_internal.h"
#include "io/checkpoint/checkpoint_transfer_internal.h"
#include "mpi/world/patience.h"
#include "mpi/world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
    int64_t bytes;                        /* rank 0: of the file, at most */
};

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
        status = gg_checkpoint_reserve_space(w->path, w->temporary, w->bytes);
        if (status == GG_OK)
            status = gg_checkpoint_write_skeleton(w->temporary, w->meta, w->tensors, w->count);
    }
    GG_TRY(gg_agree_patiently(w->comm, status));
    MPI_Bcast(w->tensors, gg_int(w->count * (int64_t)sizeof *w->tensors), MPI_BYTE, 0, w->comm);
    return gg_agree_patiently(w->comm, write_values(w));
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
    if (w.rank == 0)
        w.bytes = gg_checkpoint_bytes_needed(meta, w.tensors, w.count);
    gg_status status =
        gg_agree_patiently(comm, w.rank == 0 ? gg_checkpoint_look_for_space(path, w.bytes) : GG_OK);
    if (status == GG_OK) {
        compute_checksums(&w);
        status = write_file(&w);
        if (status == GG_OK)
            status = gg_agree_patiently(comm, w.rank == 0 ? gg_file_commit(w.temporary, path) : GG_OK);
        else if (w.rank == 0)
            gg_checkpoint_remove_temporary(w.temporary);
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
