#include "mpi/reduce/partition_gather.h"

#include "core/base/memory.h"
#include "mpi/world/world.h"

#include <stdlib.h>

void gg_partition_gather(const struct gg_partition *p, MPI_Comm replicas, float *flat) {
    if (p->replicas == 1)
        return;
    int *counts = gg_malloc(2 * (size_t)p->replicas * sizeof *counts), *starts = counts + p->replicas;
    for (int64_t bucket = 0; bucket < p->bucket_count; bucket++) {
        int64_t count;
        const int64_t first = gg_partition_bucket(p, bucket, &count);
        for (int d = 0; d < p->replicas; d++) {
            const struct gg_range part = gg_partition_part(p, bucket, d);
            counts[d] = gg_int(part.to - part.from);
            starts[d] = gg_int(part.from - first);
        }
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, flat + first, counts, starts, MPI_FLOAT, replicas);
    }
    free(counts);
}
