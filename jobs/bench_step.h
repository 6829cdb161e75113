/* gridgpt bench: whole training steps of the settings' model, by phase and kind of kernel.
 */
#ifndef GG_JOBS_BENCH_STEP_H
#define GG_JOBS_BENCH_STEP_H

#include "core/base/settings.h"
#include "mpi/world.h"

struct gg_bench_step_options {
    int repeats; /* measured steps; one more warms up */
    bool alone;  /* measures rank 0 alone too, in turns, with the same micro-batch: weak scaling */
    bool json;
};

/* Measures and prints on rank 0. Collective over the world, with the same settings (but for data.train);
 * fails alike on every rank. */
gg_status gg_bench_step(const struct gg_world *world, const struct gg_settings *settings,
                        const struct gg_bench_step_options *options) GG_MUST_USE;

#endif
