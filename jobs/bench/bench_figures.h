/* What bench measures of training steps, step by step, and what it comes to.
 */
#ifndef GG_JOBS_BENCH_BENCH_FIGURES_H
#define GG_JOBS_BENCH_BENCH_FIGURES_H

#include "jobs/replica/replica_step.h"
#include "jobs/train/session.h"

enum { GG_BENCH_REPEATS = 100 }; /* at most */

/* Figures of a step, in seconds. Means over the ranks, but for the whole step and the reduction alone, which
 * are the slowest rank's. */
enum gg_bench_figure {
    GG_BENCH_WHOLE,
    GG_BENCH_PHASE,                                     /* the first of GG_STEP_PHASES: those of a step */
    GG_BENCH_FORWARD = GG_BENCH_PHASE + GG_STEP_PHASES, /* by kind of kernel */
    GG_BENCH_BACKWARD = GG_BENCH_FORWARD + GG_KERNEL_KINDS,
    GG_BENCH_RECOMPUTE = GG_BENCH_BACKWARD + GG_KERNEL_KINDS, /* forward, amid the backward pass */
    GG_BENCH_ALONE = GG_BENCH_RECOMPUTE + GG_KERNEL_KINDS,    /* the gradients' sum, nothing else running */
    GG_BENCH_WAITING, /* for ranks whose forward and backward pass took longer; part of phase reduce */
    GG_BENCH_FIGURES
};

struct gg_bench_series {
    double seconds[GG_BENCH_FIGURES][GG_BENCH_REPEATS];
    int count;
    double losses[GG_BENCH_REPEATS + 1]; /* the warm-up's too */
    int steps;
    struct gg_bucket_traffic traffic; /* of a step: what rank 0 sends for the sums over replicas */
};

/* Adds a step that was taken with session->replica.seconds and ->kernels at zero before it. Where there are several
 * replicas it then sums their gradients once more, alone. Collective over the session's world. */
void gg_bench_series_add(struct gg_bench_series *series, struct gg_session *session,
                         const struct gg_replica_step *result);

/* What a series comes to. */
struct gg_bench_figures {
    double median[GG_BENCH_FIGURES], spread[GG_BENCH_FIGURES]; /* spread: (largest - smallest) / median */
    double tokens_per_s, mfu;
    double hidden;                      /* share of the reduction that the backward pass hides */
    double peak_bytes, announced_bytes; /* of the rank that has most */
    double loader_share;                /* of a step that the loader makes the ranks wait */
};

/* Collective over the session's world. */
struct gg_bench_figures gg_bench_figures_of(const struct gg_bench_series *series,
                                            const struct gg_session *session);

#endif
