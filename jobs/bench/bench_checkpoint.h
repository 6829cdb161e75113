/* gridgpt bench --checkpoint: writing and reading checkpoints against plain files, and how long the training
 * stands still for one against a copy in memory.
 */
#ifndef GG_JOBS_BENCH_BENCH_CHECKPOINT_H
#define GG_JOBS_BENCH_BENCH_CHECKPOINT_H

#include "jobs/command/settings.h"
#include "mpi/world/world.h"

/* Measures, in turns, and prints on rank 0. Makes the state of the settings' model on their grid (weights,
 * optimizer states, and a copy); files are written into a folder below run.dir, and removed. Collective over
 * the world with the same settings; fails alike on every rank.
 *   vocab   [in] of the tokenizer
 *   repeats [in] of each measurement, 1 to 100; the median counts
 * GG_USAGE: the grid does not fit. GG_RESOURCE, GG_STORAGE. */
gg_status gg_bench_checkpoint(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                              int repeats, bool json) GG_MUST_USE;

#endif
