#include "jobs/replica/feed.h"

#include "mpi/world/world.h"

gg_status gg_feed_next(MPI_Comm grid, gg_loader *loader, int64_t micro, int64_t context, int32_t *inputs,
                       int32_t *targets, uint64_t *sample_ids, double *waited_seconds) {
    int ranks;
    MPI_Comm_size(grid, &ranks);
    if (waited_seconds != NULL)
        *waited_seconds = 0;
    gg_status status = GG_OK;
    if (loader != NULL)
        status = gg_loader_next(loader, inputs, targets, sample_ids, waited_seconds);
    if (ranks == 1)
        return status;
    GG_TRY(gg_status_of_root(grid, 0, status));
    MPI_Bcast(inputs, gg_int(micro * context), MPI_INT32_T, 0, grid);
    MPI_Bcast(targets, gg_int(micro * context), MPI_INT32_T, 0, grid);
    MPI_Bcast(sample_ids, gg_int(micro), MPI_UINT64_T, 0, grid);
    return GG_OK;
}
