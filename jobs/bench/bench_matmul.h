/* gridgpt bench --matmul: every matmul shape of a model, its three products, against the local GEMM rate.
 */
#ifndef GG_JOBS_BENCH_BENCH_MATMUL_H
#define GG_JOBS_BENCH_BENCH_MATMUL_H

#include "jobs/command/settings.h"
#include "mpi/world/world.h"

/* Measures and prints on rank 0. Collective over the world, with the same settings; fails alike.
 *   repeats [in] of each product; the median counts */
gg_status gg_bench_matmul(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                          int repeats, bool json) GG_MUST_USE;

#endif
