#include "jobs/replica/feed.h"

#include "mpi/world/world.h"

static void broadcast_marks(MPI_Comm grid, const struct gg_marks *marks, int inputs) {
    if (marks->loss_weights == NULL)
        return;
    MPI_Bcast(marks->loss_weights, inputs, MPI_FLOAT, 0, grid);
    MPI_Bcast(marks->starts, inputs, MPI_INT32_T, 0, grid);
    MPI_Bcast(marks->labels, inputs, MPI_INT32_T, 0, grid);
    MPI_Bcast(marks->label_weights, inputs, MPI_FLOAT, 0, grid);
}

gg_status gg_feed_next(MPI_Comm grid, gg_loader *loader, int64_t micro, int64_t context,
                       const struct gg_micro_batch *to, double *waited_seconds) {
    int ranks;
    MPI_Comm_size(grid, &ranks);
    if (waited_seconds != NULL)
        *waited_seconds = 0;
    gg_status status = GG_OK;
    if (loader != NULL)
        status = gg_loader_next(loader, to, waited_seconds);
    if (ranks == 1)
        return status;
    GG_TRY(gg_status_of_root(grid, 0, status));
    MPI_Bcast(to->inputs, gg_int(micro * context), MPI_INT32_T, 0, grid);
    MPI_Bcast(to->targets, gg_int(micro * context), MPI_INT32_T, 0, grid);
    MPI_Bcast(to->sample_ids, gg_int(micro), MPI_UINT64_T, 0, grid);
    broadcast_marks(grid, &to->marks, gg_int(micro * context));
    return GG_OK;
}
