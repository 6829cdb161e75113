#include "jobs/precision.h"

#include "core/kernels/matmul.h"

#include <stdio.h>

const char *const gg_precision_option_names[] = {"checkpoint", "fp32", "bf16", NULL};
const char *const gg_precision_names[] = {"fp32", "bf16"};

gg_status gg_precision_choose(const struct gg_world *world, enum gg_precision wanted,
                              enum gg_fallback fallback, enum gg_precision *precision) {
    int able = gg_matmul_has_bf16();
    MPI_Allreduce(MPI_IN_PLACE, &able, 1, MPI_INT, MPI_SUM, world->comm);
    *precision = wanted;
    if (wanted == GG_PRECISION_FP32 || able == world->size)
        return GG_OK;
    const int unable = world->size - able;
    if (fallback == GG_FALLBACK_NONE)
        return gg_fail(
            GG_USAGE,
            "bf16 cannot be computed on %d of %d ranks: it wants a processor with AMX, or one with "
            "AVX512_BF16 "
            "and oneDNN (here: %s); use fp32 (compute.precision=fp32, or compute.fallback=fp32 to do so "
            "wherever it is needed)",
            unable, world->size, gg_matmul_maker(GG_PRECISION_BF16));
    if (world->rank == 0)
        fprintf(stderr, "note: %d of %d ranks have no bf16 (%s); computing in fp32\n", unable, world->size,
                gg_matmul_maker(GG_PRECISION_BF16));
    *precision = GG_PRECISION_FP32;
    return GG_OK;
}

gg_status gg_precision_choose_option(const struct gg_world *world, int option, enum gg_precision trained_in,
                                     enum gg_precision *precision) {
    if (option == GG_PRECISION_OPTION_CHECKPOINT)
        return gg_precision_choose(world, trained_in, GG_FALLBACK_FP32, precision);
    return gg_precision_choose(world,
                               option == GG_PRECISION_OPTION_BF16 ? GG_PRECISION_BF16 : GG_PRECISION_FP32,
                               GG_FALLBACK_NONE, precision);
}
