#include "jobs/launch/gemm_rate.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_bf16.h"
#include "jobs/launch/process_memory.h"
#include "mpi/world/world.h"

#include <stdlib.h>

enum { SIZE = 2048, REPEATS = 5 };
static const double usual_seconds = 2;

/* C = A B^T of what training multiplies with, or in bf16 of the library. */
static void multiply(enum gg_precision precision, bool library, const void *a, const void *b, void *c) {
    const struct gg_bf16_product product = {GG_PLAIN, GG_TRANSPOSED, SIZE,  SIZE,      SIZE, a,   SIZE,
                                            b,        SIZE,          false, precision, c,    SIZE};
    if (library)
        gg_matmul_bf16_library(&product);
    else
        gg_matmul_stored(precision, GG_PLAIN, GG_TRANSPOSED, SIZE, SIZE, SIZE, a, SIZE, b, SIZE, false,
                         precision, c, SIZE);
}

static double most_seconds(void) {
    const char *text = getenv("GRIDGPT_GEMM_SECONDS");
    return text != NULL ? strtod(text, NULL) : usual_seconds;
}

static double best_seconds(enum gg_precision precision, bool library, void *memory) {
    void *a = memory, *b = gg_at(precision, a, SIZE * SIZE), *c = gg_at(precision, b, SIZE * SIZE);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < 2 * SIZE * SIZE; i++)
        gg_store(precision, memory, i, (float)(i % 17) * 0.125F - 1);
    double best = 0;
    const double most = most_seconds();
    const double start = gg_clock_seconds();
    for (int repeat = 0; repeat <= REPEATS; repeat++) { /* the first warms up */
        const double begin = gg_clock_seconds();
        multiply(precision, library, a, b, c);
        const double end = gg_clock_seconds();
        if (repeat < 2 || end - begin < best)
            best = end - begin;
        if (repeat > 0 && end - start > most)
            break;
    }
    return best;
}

gg_status gg_gemm_rate_measure(MPI_Comm comm, enum gg_precision precision, struct gg_gemm_rate *rate) {
    void *memory = NULL;
    GG_TRY(gg_agree(comm, gg_try_malloc(3 * SIZE * SIZE * sizeof(float), "the GEMM measurement", &memory)));
    const double work = 2.0 * SIZE * SIZE * SIZE;
    const size_t peak_before = gg_memory_peak();
    MPI_Barrier(comm);
    rate->precision = precision;
    rate->mine = work / best_seconds(precision, false, memory);
    rate->library = 0;
    if (precision == GG_PRECISION_BF16 && gg_tiles_available() && gg_matmul_library_has_bf16())
        rate->library = work / best_seconds(precision, true, memory);
    const size_t peak = gg_memory_peak(), matrices = 3 * SIZE * SIZE * gg_stored_bytes(precision);
    free(memory);
    /* Where the process held more before, nothing can be told. */
    const size_t others = gg_memory_resident() + matrices;
    rate->scratch_bytes = peak > peak_before && peak > others ? peak - others : 0;
    MPI_Allreduce(MPI_IN_PLACE, &rate->library, 1, MPI_DOUBLE, MPI_SUM, comm);
    MPI_Allreduce(&rate->mine, &rate->all, 1, MPI_DOUBLE, MPI_SUM, comm);
    return GG_OK;
}
