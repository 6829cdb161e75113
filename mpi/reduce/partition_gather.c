#include "mpi/reduce/partition_gather.h"

#include "mpi/reduce/bucket_sums.h"

void gg_partition_gather(const struct gg_partition *partition, MPI_Comm replicas, float *flat) {
    const struct gg_bucket_sums_options options = {.work = GG_BUCKET_ALLGATHER, .values = flat};
    gg_bucket_sums *gather;
    if (partition->summation.replicas == 1)
        return;
    const gg_status status = gg_bucket_sums_create(replicas, partition, &options, &gather);
    GG_ASSERT(status == GG_OK); /* nothing is on its way but what stands in `flat` */
    gg_bucket_sums_run(gather);
    gg_bucket_sums_destroy(&gather);
}
