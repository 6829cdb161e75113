#include "jobs/bench/bench_figures.h"

#include "core/base/clock.h"
#include "core/model/graph_figures.h"
#include "jobs/launch/process_memory.h"
#include "jobs/launch/statistics.h"

#include <string.h>

static double largest_of(MPI_Comm comm, double value) {
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm);
    return value;
}

/* The sum of the gradients once more, with nothing beside it: seconds of the slowest rank. The gradients are
 * of no use afterwards; the weights stay as they are.
 *   traffic [out] what this rank sent for it, as in a step */
static double reduce_alone(struct gg_session *t, struct gg_bucket_traffic *traffic) {
    const struct gg_bucket_traffic before = gg_reducer_traffic(t->replica.reducer);
    if (t->replica.topology.replicas == 1)
        return 0;
    MPI_Barrier(t->world->comm);
    const double begin = gg_clock_seconds();
    gg_reducer_begin(t->replica.reducer);
    gg_reducer_finish(t->replica.reducer);
    gg_reducer_gather(t->replica.reducer, t->replica.state.weights);
    const struct gg_bucket_traffic after = gg_reducer_traffic(t->replica.reducer);
    *traffic = (struct gg_bucket_traffic){after.messages - before.messages, after.bytes - before.bytes};
    return largest_of(t->world->comm, gg_clock_seconds() - begin);
}

/* Seconds that a rank works before it can wait for others. */
static double busy_seconds(const struct gg_session *t) {
    return t->replica.seconds[GG_PHASE_DATA] + t->replica.seconds[GG_PHASE_FORWARD] +
           t->replica.seconds[GG_PHASE_BACKWARD];
}

void gg_bench_series_add(struct gg_bench_series *series, struct gg_session *t,
                         const struct gg_replica_step *result) {
    double step[GG_BENCH_FIGURES] = {0};
    const double longest = largest_of(t->world->comm, busy_seconds(t));
    memcpy(step + GG_BENCH_PHASE, t->replica.seconds, GG_STEP_PHASES * sizeof *step);
    memcpy(step + GG_BENCH_FORWARD, t->replica.kernels.forward, sizeof t->replica.kernels.forward);
    memcpy(step + GG_BENCH_BACKWARD, t->replica.kernels.backward, sizeof t->replica.kernels.backward);
    memcpy(step + GG_BENCH_RECOMPUTE, t->replica.kernels.recompute, sizeof t->replica.kernels.recompute);
    step[GG_BENCH_WAITING] = longest - busy_seconds(t);
    MPI_Allreduce(MPI_IN_PLACE, step, GG_BENCH_FIGURES, MPI_DOUBLE, MPI_SUM, t->world->comm);
    for (int i = 0; i < GG_BENCH_FIGURES; i++)
        step[i] /= t->world->size;
    step[GG_BENCH_WHOLE] = largest_of(t->world->comm, result->whole_seconds);
    step[GG_BENCH_ALONE] = reduce_alone(t, &series->traffic);
    GG_ASSERT(series->count < GG_BENCH_REPEATS);
    for (int i = 0; i < GG_BENCH_FIGURES; i++)
        series->seconds[i][series->count] = step[i];
    series->count++;
}

/* How much of a reduction is hidden: alone, it takes `alone` seconds. In a step, `visible` seconds are spent
 * in its calls and on waiting for it, `waiting` of them for ranks that are late, which no reduction could
 * help. 0 where nothing is hidden, or where there is nothing to hide. */
static double hidden_share(double alone, double visible, double waiting) {
    const double own = visible > waiting ? visible - waiting : 0;
    return alone > own ? 1 - own / alone : 0;
}

struct gg_bench_figures gg_bench_figures_of(const struct gg_bench_series *series,
                                            const struct gg_session *t) {
    struct gg_bench_figures f = {0};
    for (int i = 0; i < GG_BENCH_FIGURES; i++) {
        double seconds[GG_BENCH_REPEATS];
        memcpy(seconds, series->seconds[i], (size_t)series->count * sizeof *seconds);
        f.median[i] = gg_median(seconds, series->count);
        f.spread[i] = f.median[i] > 0 ? gg_spread(seconds, series->count) : 0;
    }
    f.tokens_per_s = (double)t->replica.plan.tokens_per_step / f.median[GG_BENCH_WHOLE];
    f.mfu = f.tokens_per_s * gg_graph_flops_per_token(&t->replica.graph) / t->gemm.all;
    f.hidden = hidden_share(f.median[GG_BENCH_ALONE], f.median[GG_BENCH_PHASE + GG_PHASE_REDUCE],
                            f.median[GG_BENCH_WAITING]);
    f.peak_bytes = largest_of(t->world->comm, (double)gg_memory_peak());
    f.announced_bytes = largest_of(t->world->comm, (double)gg_train_memory_total(&t->memory));
    f.loader_share = f.median[GG_BENCH_PHASE + GG_PHASE_DATA] / f.median[GG_BENCH_WHOLE];
    return f;
}
