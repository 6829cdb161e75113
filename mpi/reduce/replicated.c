#include "mpi/reduce/replicated.h"

#include "core/plan/plan_memory.h"
#include "mpi/world/world.h"

#include <string.h>

/* Copies the replicated elements of the owned ranges to scratch, or back; returns how many there are. */
static int64_t copy(const struct gg_parameter_table *table, const struct gg_owned_range *owned, int count,
                    float *scratch, bool back) {
    int64_t at = 0;
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        if (!gg_parameter_replicated(p))
            continue;
        const int64_t begin = p->offset, end = begin + p->local_rows * p->local_columns;
        for (int r = 0; r < count; r++) {
            const int64_t from = owned[r].from > begin ? owned[r].from : begin;
            const int64_t to = owned[r].to < end ? owned[r].to : end;
            if (from >= to)
                continue;
            float *gradients = owned[r].gradients + (from - owned[r].from);
            const size_t bytes = (size_t)(to - from) * sizeof(float);
            memcpy(back ? gradients : scratch + at, back ? scratch + at : gradients, bytes);
            at += to - from;
        }
    }
    return at;
}

/* values = the sum of all ranks', each element's in the order of the ranks: each adds up an equal part of them, and
 * hands it to all. An MPI library's own sum takes another order for another count.
 *   shares [in] (gg_replicated_scratch less `count`) */
static void sum_in_order(MPI_Comm comm, float *values, int64_t count, float *shares) {
    int ranks, rank;
    MPI_Comm_size(comm, &ranks);
    MPI_Comm_rank(comm, &rank);
    const int64_t part = (count + ranks - 1) / ranks;
    MPI_Alltoall(values, gg_int(part), MPI_FLOAT, shares, gg_int(part), MPI_FLOAT, comm);
    for (int r = 1; r < ranks; r++)
        for (int64_t i = 0; i < part; i++)
            shares[i] += shares[r * part + i];
    MPI_Allgather(shares, gg_int(part), MPI_FLOAT, values, gg_int(part), MPI_FLOAT, comm);
}

void gg_replicated_sum(MPI_Comm token_comm, const struct gg_parameter_table *table,
                       const struct gg_owned_range *owned, int count, float *scratch) {
    int shards;
    MPI_Comm_size(token_comm, &shards);
    const int64_t elements = copy(table, owned, count, scratch, false);
    sum_in_order(token_comm, scratch, elements, scratch + gg_replicated_scratch(table, shards) / 2);
    copy(table, owned, count, scratch, true);
}
