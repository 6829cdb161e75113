/* gridgpt bench --kernels: the kernels that work element by element, against the rate of memory.
 */
#ifndef GG_JOBS_BENCH_BENCH_KERNELS_H
#define GG_JOBS_BENCH_BENCH_KERNELS_H

#include "jobs/command/settings.h"
#include "mpi/world/world.h"

/* Measures each such kernel of the model in the settings' shapes and precision, on all ranks and threads at
 * once, and beside them what memory can do (bench_memory.h), and prints on rank 0: a kernel that is more than
 * 5% faster than memory with the reason. Collective over the world, with the same settings; fails alike.
 * GG_RESOURCE: no memory.
 *   repeats [in] of each kernel; the median counts */
gg_status gg_bench_kernels(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                           int repeats, bool json) GG_MUST_USE;

#endif
