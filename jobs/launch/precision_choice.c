#include "jobs/launch/precision_choice.h"

#include "core/kernels/matmul/matmul.h"

#include <stdio.h>

const char *const gg_precision_option_names[] = {"checkpoint", "fp32", "bf16", NULL};
const char *const gg_precision_names[] = {"fp32", "bf16"};

enum { REASON_BYTES = 256 };

/* What the first rank that cannot compute in bf16 lacks, known to all. */
static int find_lack(const struct gg_world *world, bool able, char reason[REASON_BYTES]) {
    int first = able ? world->size : world->rank;
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, world->comm);
    if (first == world->rank)
        snprintf(reason, REASON_BYTES, "%s", gg_matmul_bf16_lack());
    MPI_Bcast(reason, REASON_BYTES, MPI_CHAR, first, world->comm);
    return first;
}

/* advice [in] what to ask for instead, where there is no fallback */
static gg_status choose(const struct gg_world *world, enum gg_precision wanted, enum gg_fallback fallback,
                        const char *advice, enum gg_precision *precision) {
    const bool has = gg_matmul_has_bf16();
    int able = has;
    char reason[REASON_BYTES] = "";
    MPI_Allreduce(MPI_IN_PLACE, &able, 1, MPI_INT, MPI_SUM, world->comm);
    *precision = wanted;
    if (wanted == GG_PRECISION_FP32 || able == world->size)
        return GG_OK;
    const int unable = world->size - able, first = find_lack(world, has, reason);
    if (fallback == GG_FALLBACK_NONE)
        return gg_fail(GG_USAGE, "bf16 cannot be computed on %d of %d ranks (rank %d: %s); use %s", unable,
                       world->size, first, reason, advice);
    if (world->rank == 0)
        fprintf(stderr, "note: %d of %d ranks have no bf16 (rank %d: %s); computing in fp32\n", unable,
                world->size, first, reason);
    *precision = GG_PRECISION_FP32;
    return GG_OK;
}

gg_status gg_precision_choose(const struct gg_world *world, enum gg_precision wanted,
                              enum gg_fallback fallback, enum gg_precision *precision) {
    return choose(world, wanted, fallback,
                  "compute.precision=fp32, or compute.fallback=fp32 to do so wherever it is needed",
                  precision);
}

gg_status gg_precision_choose_option(const struct gg_world *world, int option, enum gg_precision trained_in,
                                     enum gg_precision *precision) {
    if (option == GG_PRECISION_OPTION_CHECKPOINT)
        return choose(world, trained_in, GG_FALLBACK_FP32, "", precision);
    return choose(world, option == GG_PRECISION_OPTION_BF16 ? GG_PRECISION_BF16 : GG_PRECISION_FP32,
                  GG_FALLBACK_NONE, "--precision fp32", precision);
}
