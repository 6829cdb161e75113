#include "jobs/launch/blas_note.h"

#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/peak.h"

#include <stdio.h>

#ifdef GG_MATMUL_IS_ONEDNN
static const bool plain_blas = false;
#else
static const bool plain_blas = true;
#endif

/* All ranks at once, as the matmuls were measured. */
static double measure_peak(const struct gg_world *world) {
    MPI_Barrier(world->comm);
    double peak = gg_peak_measure();
    MPI_Allreduce(MPI_IN_PLACE, &peak, 1, MPI_DOUBLE, MPI_SUM, world->comm);
    return peak;
}

static void note_fp32(const struct gg_world *world, const struct gg_gemm_rate *rate) {
    const double peak = measure_peak(world);
    if (world->rank > 0)
        return;
    const bool tiles = gg_matmul_has_bf16();
    fprintf(
        stderr,
        "note: built without oneDNN: matrices are multiplied by plain BLAS at %.1f GFLOP/s over all ranks, "
        "%.0f%% of the processors' measured peak; a library with kernels for the processor reaches 70-95%%. "
        "%s%s. oneDNN is Debian's libdnnl-dev\n",
        1e-9 * rate->all, 100 * rate->all / peak,
        tiles ? "bf16 is AMX's here, and wants oneDNN only for the tiles of a parallel.grid"
              : "There is no bf16: ",
        tiles ? "" : gg_matmul_bf16_lack());
}

static void note_grid(const struct gg_world *world) {
    if (world->rank == 0)
        fprintf(stderr,
                "note: built without oneDNN: the tiles of parallel.grid are multiplied in fp32 by plain "
                "BLAS, not in bf16; with oneDNN (Debian: libdnnl-dev) they would be multiplied in bf16\n");
}

void gg_blas_note(const struct gg_world *world, const struct gg_gemm_rate *rate, bool grid) {
    static bool said = false;
    if (!plain_blas || said)
        return;
    said = true;
    if (rate->precision == GG_PRECISION_FP32)
        note_fp32(world, rate);
    else if (grid)
        note_grid(world);
}
