#include "jobs/bench/bench_report.h"

#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_bf16.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/reduction_driver.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>

static void print_run(const struct gg_bench_result *r) {
    const struct gg_session *t = r->session;
    printf(
        "%lld layers, width %lld, context %lld in %s; %d ranks x %d threads, D x P x Q = %d x %d x %d, ZeRO "
        "%lld\n",
        (long long)t->replica.graph.config.layers, (long long)t->replica.graph.config.width,
        (long long)t->replica.graph.config.context, gg_precision_names[t->replica.graph.config.precision],
        t->world->size, omp_get_max_threads(), t->replica.topology.replicas,
        t->replica.topology.shards.feature_shards, t->replica.topology.shards.token_shards,
        (long long)t->settings->parallel.zero);
    printf(
        "a step is %lld sequences in %lld micro-batch(es) of %lld on each replica; medians of %d steps after "
        "one that warms up\n",
        (long long)t->settings->batch.sequences, (long long)t->replica.plan.accumulation,
        (long long)t->settings->batch.micro, r->series->count);
    printf("GEMM rate      %10.1f GFLOP/s over all ranks (%s in %s; C = A B^T, 2048 cubed, best of 5, all at "
           "once)\n",
           t->gemm.all / 1e9, gg_matmul_maker(t->replica.graph.config.precision),
           gg_precision_names[t->replica.graph.config.precision]);
}

/* Seconds and the share of a step. */
static void print_share(const struct gg_bench_figures *f, int figure) {
    printf(" %9.3f s %5.1f%%", f->median[figure], 100 * f->median[figure] / f->median[GG_BENCH_WHOLE]);
}

static void print_phases(const struct gg_bench_figures *f) {
    printf("by phase           seconds  share  spread   (means over the ranks)\n");
    for (int phase = 0; phase < GG_STEP_PHASES; phase++) {
        const int figure = GG_BENCH_PHASE + phase;
        printf("  %-12s", gg_phase_names[phase]);
        print_share(f, figure);
        printf("  %5.1f%%\n", 100 * f->spread[figure]);
    }
}

static void print_kernels(const struct gg_bench_figures *f, bool recomputes) {
    printf("by kernel          forward         backward%s\n", recomputes ? "        recompute" : "");
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++) {
        printf("  %-12s", gg_kernel_kind_names[kind]);
        print_share(f, GG_BENCH_FORWARD + kind);
        print_share(f, GG_BENCH_BACKWARD + kind);
        if (recomputes)
            print_share(f, GG_BENCH_RECOMPUTE + kind);
        putchar('\n');
    }
}

/* "pairwise", "tree" */
static const char *way_of(const struct gg_bench_result *r) {
    return gg_reduction_names[r->session->replica.plan.partition.summation.way];
}

static void print_reduction(const struct gg_bench_result *r) {
    const struct gg_bench_figures *f = r->figures;
    const double visible = f->median[GG_BENCH_PHASE + GG_PHASE_REDUCE];
    if (r->session->replica.topology.replicas == 1)
        return;
    printf("reduction      alone %.3f s, visible %.3f s (%.1f%% of the step; %.3f s of it waiting for slower "
           "ranks), hidden %.0f%%\n"
           "               %s, %lld messages and %.1f MB in %s from each rank in a step; progress by %s\n",
           f->median[GG_BENCH_ALONE], visible, 100 * visible / f->median[GG_BENCH_WHOLE],
           f->median[GG_BENCH_WAITING], 100 * f->hidden, way_of(r), (long long)r->series->traffic.messages,
           1e-6 * (double)r->series->traffic.bytes, gg_precision_names[r->session->settings->parallel.wire],
           gg_reduction_driver_name(r->session->reduction_thread));
}

static void print_result(const struct gg_bench_result *r, bool sole) {
    const struct gg_bench_figures *f = r->figures;
    const bool recomputes = r->session->replica.graph.config.recompute != GG_RECOMPUTE_NONE;
    print_run(r);
    printf("step           %10.3f s, spread %.1f%%\n", f->median[GG_BENCH_WHOLE],
           100 * f->spread[GG_BENCH_WHOLE]);
    printf("tokens/s       %10.1f\n", f->tokens_per_s);
    printf("MFU            %10.1f%% = FLOP per token x tokens/s / GEMM rate%s\n", 100 * f->mfu,
           recomputes ? " (recomputation does not count)" : "");
    const double library = r->session->gemm.library;
    if (library > 0)
        printf("               %10.1f%% of the GEMM rate of %s, %.1f GFLOP/s\n",
               100 * f->mfu * r->session->gemm.all / library, gg_matmul_library_name(), library / 1e9);
    print_phases(f);
    print_kernels(f, recomputes);
    print_reduction(r);
    printf("loader waits   %.2f%% of a step\n", 100 * f->loader_share);
    printf("loss           %.6f in the first step (the warm-up), %.6f in the last\n", r->series->losses[0],
           r->series->losses[r->series->steps - 1]);
    if (sole) /* else the process holds several models */
        printf("peak memory    %.1f MB of a rank, announced %.1f MB (%+.1f%%)\n", f->peak_bytes / 1e6,
               f->announced_bytes / 1e6, 100 * (f->peak_bytes / f->announced_bytes - 1));
}

void gg_bench_report(const struct gg_bench_result *results, int count) {
    for (int i = 0; i < count; i++) {
        if (count > 1)
            printf("%s-- %s\n", i > 0 ? "\n" : "", results[i].name);
        print_result(&results[i], count == 1);
    }
    if (count == 1)
        return;
    printf("\nmeasured in turns, tokens/s beside the first\n");
    for (int i = 0; i < count; i++)
        printf("  %-32s %10.1f tokens/s  %6.3f  spread %.1f%%\n", results[i].name,
               results[i].figures->tokens_per_s,
               results[i].figures->tokens_per_s / results[0].figures->tokens_per_s,
               100 * results[i].figures->spread[GG_BENCH_WHOLE]);
}

/* An object of `count` named values. */
static json_t *named_json(const char *const *names, const double *values, int count) {
    json_t *object = json_object();
    for (int i = 0; i < count; i++)
        json_object_set_new(object, names[i], json_real(values[i]));
    return object;
}

static json_t *numbers_json(const double *values, int count) {
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

static json_t *reduction_json(const struct gg_bench_result *r) {
    const struct gg_bench_figures *f = r->figures;
    if (r->session->replica.topology.replicas == 1)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:f, s:s, s:s, s:s, s:I, s:I}", "alone_s", f->median[GG_BENCH_ALONE],
                     "visible_s", f->median[GG_BENCH_PHASE + GG_PHASE_REDUCE], "waiting_s",
                     f->median[GG_BENCH_WAITING], "hidden", f->hidden, "progress",
                     gg_reduction_driver_name(r->session->reduction_thread), "way", way_of(r), "wire",
                     gg_precision_names[r->session->settings->parallel.wire], "messages",
                     (json_int_t)r->series->traffic.messages, "bytes", (json_int_t)r->series->traffic.bytes);
}

static void set_object(json_t *all, const char *name, json_t *value) {
    const int failed = json_object_set_new(all, name, value);
    GG_ASSERT(failed == 0);
}

static json_t *result_json(const struct gg_bench_result *r) {
    const struct gg_session *t = r->session;
    const struct gg_bench_figures *f = r->figures;
    const struct gg_bench_series *series = r->series;
    json_t *all =
        json_pack("{s:s, s:i, s:i, s:s, s:s, s:f, s:f, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "name",
                  r->name, "ranks", t->world->size, "threads", omp_get_max_threads(), "precision",
                  gg_precision_names[t->replica.graph.config.precision], "matmul",
                  gg_matmul_maker(t->replica.graph.config.precision), "gemm_gflops", t->gemm.all / 1e9,
                  "library_gemm_gflops", t->gemm.library / 1e9, "repeats", series->count, "step_s",
                  f->median[GG_BENCH_WHOLE], "spread", f->spread[GG_BENCH_WHOLE], "tokens_per_s",
                  f->tokens_per_s, "mfu", f->mfu, "data_share", f->loader_share, "peak_bytes", f->peak_bytes,
                  "announced_bytes", f->announced_bytes);
    GG_ASSERT(all != NULL);
    set_object(all, "seconds", named_json(gg_phase_names, f->median + GG_BENCH_PHASE, GG_STEP_PHASES));
    set_object(all, "spreads", named_json(gg_phase_names, f->spread + GG_BENCH_PHASE, GG_STEP_PHASES));
    set_object(all, "forward",
               named_json(gg_kernel_kind_names, f->median + GG_BENCH_FORWARD, GG_KERNEL_KINDS));
    set_object(all, "backward",
               named_json(gg_kernel_kind_names, f->median + GG_BENCH_BACKWARD, GG_KERNEL_KINDS));
    set_object(all, "recompute",
               named_json(gg_kernel_kind_names, f->median + GG_BENCH_RECOMPUTE, GG_KERNEL_KINDS));
    set_object(all, "reduction", reduction_json(r));
    set_object(all, "steps_s", numbers_json(series->seconds[GG_BENCH_WHOLE], series->count));
    set_object(all, "losses", numbers_json(series->losses, series->steps));
    return all;
}

void gg_bench_report_json(const struct gg_bench_result *results, int count) {
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, result_json(&results[i]));
    json_dumpf(list, stdout, JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(list);
}
