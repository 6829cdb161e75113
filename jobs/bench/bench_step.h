/* gridgpt bench: whole training steps, by phase and kind of kernel, of one or of several settings in turns.
 */
#ifndef GG_JOBS_BENCH_BENCH_STEP_H
#define GG_JOBS_BENCH_BENCH_STEP_H

#include "jobs/command/settings.h"
#include "mpi/world/world.h"

enum { GG_BENCH_VARIANTS = 8 }; /* at most */

struct gg_bench_variant {
    const char *name;
    const struct gg_settings *settings; /* resolved; the same on every rank but for data.train */
    bool alone;               /* on rank 0 alone, with the same micro-batch: what weak scaling is beside */
    struct gg_bench_run *run; /* kept by gg_bench_step; NULL before and after */
};

/* Measures a step of each variant in turns, `repeats` times after a round that warms up, and prints on rank
 * 0. Collective over the world; fails alike on every rank. */
gg_status gg_bench_step(const struct gg_world *world, struct gg_bench_variant *variants, int count,
                        int repeats, bool json) GG_MUST_USE;

#endif
