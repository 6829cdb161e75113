#include "jobs/use/shared_file.h"

#include "core/base/memory.h"
#include "io/base/file.h"

gg_status gg_shared_file_read(const struct gg_world *world, const char *path, char **data, size_t *bytes) {
    const bool root = world->rank == 0;
    GG_TRY(
        gg_status_of_root(world->comm, 0, root ? gg_file_read(path, (size_t)1 << 30, data, bytes) : GG_OK));
    int64_t length = root ? (int64_t)*bytes : 0;
    MPI_Bcast(&length, 1, MPI_INT64_T, 0, world->comm);
    if (!root)
        *data = gg_calloc((size_t)length + 1, 1);
    MPI_Bcast(*data, gg_int(length), MPI_CHAR, 0, world->comm);
    *bytes = (size_t)length;
    return GG_OK;
}
