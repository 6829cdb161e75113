#include "mpi/reduce/partition_gather.h"

#include "mpi/reduce/bucket_sums.h"

void gg_partition_gather(const struct gg_partition *partition, MPI_Comm replicas, float *flat) {
    if (partition->summation.replicas == 1)
        return;
    gg_bucket_sums *gather = gg_bucket_gather_create(replicas, partition, flat);
    gg_bucket_sums_run(gather);
    gg_bucket_sums_destroy(&gather);
}
