/* A shard of random tokens, for benchmarks that are given no data.
 */
#ifndef GG_JOBS_BENCH_BENCH_DATA_H
#define GG_JOBS_BENCH_BENCH_DATA_H

#include "jobs/command/settings.h"

struct gg_bench_data {
    char *folder; /* below TMPDIR or /tmp; NULL: the settings named data */
    char *path;
};

/* Where settings name no data.train, writes a shard (the same on every rank, each its own file, so that no
 * shared folder is wanted) and sets data.train to it. Local. GG_STORAGE. */
gg_status gg_bench_data_make(struct gg_settings *settings, struct gg_bench_data *data) GG_MUST_USE;

/* Removes what was written. */
void gg_bench_data_remove(struct gg_bench_data *data);

#endif
