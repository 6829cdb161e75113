#include "mpi/world/world.h"

#include "core/base/memory.h"

#include <limits.h>
#include <string.h>

/* Not every launcher ends a job whose process has left with a failure. */
static void abort_all(void) {
    int ended;
    if (MPI_Finalized(&ended) == MPI_SUCCESS && !ended)
        MPI_Abort(MPI_COMM_WORLD, GG_RESOURCE);
}

gg_status gg_world_start(struct gg_world *world) {
    int provided;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS)
        return gg_fail(GG_FAILED, "MPI could not be started");
    if (provided < MPI_THREAD_FUNNELED)
        return gg_fail(GG_FAILED, "this MPI allows no threads (MPI_THREAD_FUNNELED is needed)");
    MPI_Comm_dup(MPI_COMM_WORLD, &world->comm);
    MPI_Comm_rank(world->comm, &world->rank);
    MPI_Comm_size(world->comm, &world->size);
    if (world->size > 1)
        gg_out_of_memory_calls(abort_all);
    return GG_OK;
}

bool gg_world_takes_threads(void) {
    int provided;
    MPI_Query_thread(&provided);
    return provided >= MPI_THREAD_MULTIPLE;
}

void gg_world_stop(struct gg_world *world) {
    MPI_Comm_free(&world->comm);
    MPI_Finalize();
}

gg_status gg_agree(MPI_Comm comm, gg_status status) {
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    struct {
        int first_failed, failed;
    } mine = {status == GG_OK ? size : rank, status != GG_OK}, all;
    MPI_Allreduce(&mine.first_failed, &all.first_failed, 1, MPI_INT, MPI_MIN, comm);
    if (all.first_failed == size)
        return GG_OK;
    MPI_Allreduce(&mine.failed, &all.failed, 1, MPI_INT, MPI_SUM, comm);

    struct {
        int status;
        char text[3000];
    } verdict = {(int)status, ""};
    strncpy(verdict.text, gg_failure(), sizeof verdict.text - 1);
    MPI_Bcast(&verdict, (int)sizeof verdict, MPI_BYTE, all.first_failed, comm);
    if (size > 1 && all.failed < size)
        return gg_fail((gg_status)verdict.status, "rank %d: %s", all.first_failed, verdict.text);
    return gg_fail((gg_status)verdict.status, "%s", verdict.text);
}

gg_status gg_status_of_root(MPI_Comm comm, int root, gg_status status) {
    int told = (int)status;
    char text[3000] = "";
    MPI_Bcast(&told, 1, MPI_INT, root, comm);
    if (told == GG_OK)
        return GG_OK;
    strncpy(text, gg_failure(), sizeof text - 1);
    MPI_Bcast(text, (int)sizeof text, MPI_CHAR, root, comm);
    return gg_fail((gg_status)told, "%s", text);
}

int gg_int(int64_t value) {
    GG_ASSERT(value >= INT_MIN && value <= INT_MAX);
    return (int)value;
}

void gg_broadcast_text(MPI_Comm comm, char **text) {
    int rank;
    MPI_Comm_rank(comm, &rank);
    int64_t bytes = rank == 0 && *text != NULL ? (int64_t)strlen(*text) + 1 : 0;
    MPI_Bcast(&bytes, 1, MPI_INT64_T, 0, comm);
    if (rank != 0)
        *text = bytes > 0 ? gg_malloc((size_t)bytes) : NULL;
    if (bytes > 0)
        MPI_Bcast(*text, gg_int(bytes), MPI_CHAR, 0, comm);
}
