/* gridgpt bench, whole steps: what it prints.
 */
#ifndef GG_JOBS_BENCH_BENCH_REPORT_H
#define GG_JOBS_BENCH_BENCH_REPORT_H

#include "jobs/bench/bench_figures.h"

/* One of the settings that were measured in turns. */
struct gg_bench_result {
    const char *name;
    const struct gg_session *session;
    const struct gg_bench_series *series;
    const struct gg_bench_figures *figures;
};

/* Each by itself, then, where there are several, how they compare. Local, on standard output. */
void gg_bench_report(const struct gg_bench_result *results, int count);

/* The same as a JSON array with an object for each. */
void gg_bench_report_json(const struct gg_bench_result *results, int count);

#endif
