/* The measured matrix-multiply rate, against which MFU is computed.
 */
#ifndef GG_JOBS_LAUNCH_GEMM_RATE_H
#define GG_JOBS_LAUNCH_GEMM_RATE_H

#include "core/base/precision.h"
#include "core/base/status.h"

#include <mpi.h>

struct gg_gemm_rate {
    enum gg_precision precision; /* of operands and result */
    double mine, all;            /* FLOP/s of this rank, and summed over all */
    size_t scratch_bytes;        /* that it took at most beside the matrices, and gave back; 0: not known */
    double library; /* of all with the library's product where ours is used (bf16 on AMX), else 0 */
};

/* Measures C = A B^T, 2048 cubed, of operands and a result of that precision, with this rank's threads, on
 * all ranks at once: the best of 5 (of fewer when they take longer than two seconds, or GRIDGPT_GEMM_SECONDS of
 * this rank's environment). GG_RESOURCE: no memory. Collective over `comm`. */
gg_status gg_gemm_rate_measure(MPI_Comm comm, enum gg_precision precision,
                               struct gg_gemm_rate *rate) GG_MUST_USE;

#endif
