#include "jobs/bench_step.h"

#include "core/base/memory.h"
#include "core/kernels/matmul.h"
#include "jobs/precision.h"
#include "jobs/statistics.h"
#include "jobs/train_step.h"
#include "jobs/trainer.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REPEATS = 1000 };

/* What was measured; medians over the steps. */
struct figures {
    double step_seconds, spread, tokens_per_s, mfu;
    double phases[GG_PHASES];
    struct gg_gpt_times kernels;        /* seconds of a step */
    double peak_bytes, announced_bytes; /* of the rank that has most */
    double data_share;                  /* of a step that the slowest rank's loader made it wait */
};

struct series {
    double seconds[MAX_REPEATS], phases[GG_PHASES][MAX_REPEATS];
    int count;
    double losses[MAX_REPEATS + 1]; /* the warm-up's too */
    int steps;
};

struct gg_bench_run {
    struct gg_world alone_world;
    struct gg_settings alone_settings;
    struct gg_trainer trainer;
    struct series series;
};

static gg_status take_step(struct gg_bench_run *run, bool counts) {
    struct gg_trainer *t = &run->trainer;
    struct series *series = &run->series;
    struct gg_step_result result;
    memset(t->seconds, 0, sizeof t->seconds);
    MPI_Barrier(t->world->comm);
    GG_TRY(gg_train_step(t, &result));
    series->losses[series->steps++] = result.loss;
    if (!counts)
        return GG_OK;
    series->seconds[series->count] = result.whole_seconds;
    for (int phase = 0; phase < GG_PHASES; phase++)
        series->phases[phase][series->count] = t->seconds[phase];
    series->count++;
    return GG_OK;
}

/* A barrier that leaves the core to others: those who wait must not disturb the one who is measured. */
static void wait_quietly(MPI_Comm comm) {
    MPI_Request request;
    int done = 0;
    MPI_Ibarrier(comm, &request);
    while (MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done)
        usleep(2000);
}

static gg_status make_variant(const struct gg_world *world, struct gg_bench_variant *v) {
    v->run = gg_calloc(1, sizeof *v->run);
    if (!v->alone)
        return gg_trainer_create(world, v->settings, GG_TRAINER_BENCH, &v->run->trainer);
    if (world->rank != 0)
        return GG_OK;
    static char grid[] = "1x1";
    v->run->alone_settings = *v->settings; /* its strings are borrowed */
    v->run->alone_settings.parallel.grid = grid;
    v->run->alone_settings.batch.sequences = v->settings->batch.micro;
    v->run->alone_world.size = 1;
    MPI_Comm_dup(MPI_COMM_SELF, &v->run->alone_world.comm);
    return gg_trainer_create(&v->run->alone_world, &v->run->alone_settings, GG_TRAINER_BENCH,
                             &v->run->trainer);
}

static void free_variant(struct gg_bench_variant *v) {
    if (v->run == NULL)
        return;
    if (v->run->trainer.world != NULL)
        gg_trainer_destroy(&v->run->trainer);
    if (v->run->alone_world.size == 1)
        MPI_Comm_free(&v->run->alone_world.comm);
    free(v->run);
    v->run = NULL;
}

static gg_status step_variant(const struct gg_world *world, struct gg_bench_variant *v, bool counts) {
    if (!v->alone)
        return take_step(v->run, counts);
    const gg_status status = world->rank == 0 ? take_step(v->run, counts) : GG_OK;
    wait_quietly(world->comm);
    return gg_agree(world->comm, status);
}

/* A step of each variant in turns; the first round warms up. */
static gg_status measure(const struct gg_world *world, struct gg_bench_variant *variants, int count,
                         int repeats) {
    for (int round = -1; round < repeats; round++) {
        for (int i = 0; i < count; i++)
            GG_TRY(step_variant(world, &variants[i], round >= 0));
        for (int i = 0; round < 0 && i < count; i++)
            variants[i].run->trainer.kernels = (struct gg_gpt_times){0};
    }
    return GG_OK;
}

static double largest_of(MPI_Comm comm, double value) {
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm);
    return value;
}

/* Collective over the trainer's world: peaks and waits are the worst rank's. */
static struct figures work_out(struct gg_trainer *t, struct series *series) {
    struct figures f = {0};
    f.step_seconds = gg_median(series->seconds, series->count);
    f.spread = gg_spread(series->seconds, series->count);
    f.tokens_per_s = (double)t->plan.tokens_per_step / f.step_seconds;
    f.mfu = f.tokens_per_s * gg_gpt_flops_per_token(&t->config) / t->gemm.all;
    for (int phase = 0; phase < GG_PHASES; phase++)
        f.phases[phase] = gg_median(series->phases[phase], series->count);
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++) {
        f.kernels.forward[kind] = t->kernels.forward[kind] / series->count;
        f.kernels.backward[kind] = t->kernels.backward[kind] / series->count;
    }
    f.peak_bytes = largest_of(t->world->comm, (double)gg_memory_peak());
    f.announced_bytes = largest_of(t->world->comm, (double)gg_train_memory_total(&t->plan.memory));
    f.data_share = largest_of(t->world->comm, f.phases[GG_PHASE_DATA]) / f.step_seconds;
    return f;
}

static void print_words(const struct gg_bench_run *run, const struct figures *f, int repeats, bool sole) {
    const struct gg_trainer *t = &run->trainer;
    const double *losses = run->series.losses;
    const double step = f->step_seconds, per_cent = 100 / step;
    printf(
        "%lld layers, width %lld, context %lld; %d ranks x %d threads, D x P x Q = %d x %d x %d, ZeRO %lld\n",
        (long long)t->config.layers, (long long)t->config.width, (long long)t->config.context, t->world->size,
        omp_get_max_threads(), t->topology.replicas, t->topology.feature_shards, t->topology.token_shards,
        (long long)t->settings->parallel.zero);
    printf("a step is %lld sequences in %lld micro-batch(es) of %lld on each replica\n",
           (long long)t->settings->batch.sequences, (long long)t->plan.accumulation,
           (long long)t->settings->batch.micro);
    printf("GEMM rate      %.1f GFLOP/s over all ranks (%s in %s; C = A B^T, 2048 cubed, best of 5, all at "
           "once)\n",
           t->gemm.all / 1e9, gg_matmul_maker(t->config.precision), gg_precision_names[t->config.precision]);
    printf("step           %.3f s, median of %d, spread %.1f%%\n", step, repeats, 100 * f->spread);
    printf("tokens/s       %.1f\n", f->tokens_per_s);
    printf("MFU            %.1f%% = FLOP per token x tokens/s / GEMM rate\n", 100 * f->mfu);
    for (int phase = 0; phase < GG_PHASE_EVAL; phase++)
        printf("  %-12s %8.3f s  %5.1f%%\n", gg_phase_names[phase], f->phases[phase],
               per_cent * f->phases[phase]);
    printf("by kernel        forward           backward\n");
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++)
        printf("  %-12s %8.3f s %5.1f%% %8.3f s %5.1f%%\n", gg_kernel_kind_names[kind],
               f->kernels.forward[kind], per_cent * f->kernels.forward[kind], f->kernels.backward[kind],
               per_cent * f->kernels.backward[kind]);
    printf("loader waits   %.2f%% of a step\n", 100 * f->data_share);
    printf("loss           %.6f in the first step (the warm-up), %.6f in the last\n", losses[0],
           losses[run->series.steps - 1]);
    if (sole) /* else the process holds several models */
        printf("peak memory    %.1f MB of a rank, announced %.1f MB (%+.1f%%)\n", f->peak_bytes / 1e6,
               f->announced_bytes / 1e6, 100 * (f->peak_bytes / f->announced_bytes - 1));
}

static json_t *kernels_json(const double seconds[GG_KERNEL_KINDS]) {
    json_t *object = json_object();
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++)
        json_object_set_new(object, gg_kernel_kind_names[kind], json_real(seconds[kind]));
    return object;
}

static json_t *numbers_json(const double *values, int count) {
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

static json_t *variant_json(const char *name, const struct gg_bench_run *run, const struct figures *f,
                            int repeats) {
    const struct gg_trainer *t = &run->trainer;
    const struct series *series = &run->series;
    json_t *phases = json_object();
    for (int phase = 0; phase < GG_PHASE_EVAL; phase++)
        json_object_set_new(phases, gg_phase_names[phase], json_real(f->phases[phase]));
    json_t *all = json_pack(
        "{s:s, s:i, s:i, s:s, s:s, s:f, s:i, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:f, s:f, s:f, s:o, s:o}",
        "name", name, "ranks", t->world->size, "threads", omp_get_max_threads(), "precision",
        gg_precision_names[t->config.precision], "matmul", gg_matmul_maker(t->config.precision),
        "gemm_gflops", t->gemm.all / 1e9, "repeats", repeats, "step_s", f->step_seconds, "spread", f->spread,
        "tokens_per_s", f->tokens_per_s, "mfu", f->mfu, "seconds", phases, "forward",
        kernels_json(f->kernels.forward), "backward", kernels_json(f->kernels.backward), "data_share",
        f->data_share, "peak_bytes", f->peak_bytes, "announced_bytes", f->announced_bytes, "steps_s",
        numbers_json(series->seconds, series->count), "losses", numbers_json(series->losses, series->steps));
    GG_ASSERT(all != NULL);
    return all;
}

/* On rank 0: each variant by itself, then how they compare. */
static void report(const struct gg_bench_variant *variants, const struct figures *figures, int count,
                   int repeats, bool json) {
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        const struct gg_bench_run *run = variants[i].run;
        if (json) {
            json_array_append_new(list, variant_json(variants[i].name, run, &figures[i], repeats));
            continue;
        }
        if (count > 1)
            printf("%s-- %s\n", i > 0 ? "\n" : "", variants[i].name);
        print_words(run, &figures[i], repeats, count == 1);
    }
    if (json) {
        json_dumpf(list, stdout, JSON_REAL_PRECISION(9));
        putchar('\n');
    } else if (count > 1) {
        printf("\nmeasured in turns, tokens/s beside the first\n");
        for (int i = 0; i < count; i++)
            printf("  %-32s %10.1f tokens/s  %6.3f  spread %.1f%%\n", variants[i].name,
                   figures[i].tokens_per_s, figures[i].tokens_per_s / figures[0].tokens_per_s,
                   100 * figures[i].spread);
    }
    json_decref(list);
}

gg_status gg_bench_step(const struct gg_world *world, struct gg_bench_variant *variants, int count,
                        int repeats, bool json) {
    GG_ASSERT(count <= GG_BENCH_VARIANTS);
    struct figures figures[GG_BENCH_VARIANTS];
    repeats = repeats < MAX_REPEATS ? repeats : MAX_REPEATS;
    gg_status status = GG_OK;
    for (int i = 0; status == GG_OK && i < count; i++)
        status = gg_agree(world->comm, make_variant(world, &variants[i]));
    if (status == GG_OK)
        status = measure(world, variants, count, repeats);
    for (int i = 0; status == GG_OK && i < count; i++)
        if (!variants[i].alone || world->rank == 0)
            figures[i] = work_out(&variants[i].run->trainer, &variants[i].run->series);
    if (status == GG_OK && world->rank == 0)
        report(variants, figures, count, repeats, json);
    for (int i = 0; i < count; i++)
        free_variant(&variants[i]);
    return status;
}
