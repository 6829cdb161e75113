/* gridgpt bench --generate: how fast text is written, beside what reading the weights takes.
 */
#ifndef GG_JOBS_BENCH_BENCH_GENERATE_H
#define GG_JOBS_BENCH_BENCH_GENERATE_H

#include "jobs/command/settings.h"
#include "mpi/world/world.h"

/* A model of the settings with a run's initial weights, spread over all ranks, writes text: one text and several at
 * once, each for as long as its cache is short; and takes a prompt in, beside the forward pass of as many tokens in
 * training. In both precisions unless compute.precision is given. Medians of `repeats` turns; prints on rank 0.
 * Collective over the world; fails alike on every rank. GG_USAGE: ranks are left over beside parallel.grid. */
gg_status gg_bench_generate(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                            int repeats, bool json) GG_MUST_USE;

#endif
