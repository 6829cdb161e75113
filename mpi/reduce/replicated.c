#include "mpi/reduce/replicated.h"

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

void gg_replicated_sum(MPI_Comm token_comm, const struct gg_parameter_table *table,
                       const struct gg_owned_range *owned, int count, float *scratch) {
    const int64_t elements = copy(table, owned, count, scratch, false);
    MPI_Allreduce(MPI_IN_PLACE, scratch, gg_int(elements), MPI_FLOAT, MPI_SUM, token_comm);
    copy(table, owned, count, scratch, true);
}
