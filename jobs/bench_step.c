#include "jobs/bench_step.h"

#include "core/kernels/matmul.h"
#include "jobs/statistics.h"
#include "jobs/train_step.h"
#include "jobs/trainer.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>
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
    double alone_step_seconds;          /* rank 0 alone; 0: not measured */
};

struct series {
    double seconds[MAX_REPEATS], phases[GG_PHASES][MAX_REPEATS];
    int count;
};

static gg_status take_step(struct gg_trainer *t, struct series *series) {
    struct gg_step_result result;
    memset(t->seconds, 0, sizeof t->seconds);
    MPI_Barrier(t->world->comm);
    GG_TRY(gg_train_step(t, &result));
    if (series == NULL)
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

/* Rank 0's trainer in a world of its own; the others have none. */
struct lone_trainer {
    struct gg_world world;
    struct gg_settings settings; /* borrowed strings, a batch of its own */
    struct gg_trainer trainer;
};

static gg_status make_alone(struct lone_trainer *lone, const struct gg_settings *settings) {
    static char grid[] = "1x1";
    lone->world = (struct gg_world){.size = 1};
    MPI_Comm_dup(MPI_COMM_SELF, &lone->world.comm);
    lone->settings = *settings;
    lone->settings.parallel.grid = grid;
    lone->settings.batch.sequences = settings->batch.micro;
    return gg_trainer_create(&lone->world, &lone->settings, GG_TRAINER_BENCH, &lone->trainer);
}

/* In turns: a step of all ranks, a step of rank 0 alone. */
static gg_status measure(const struct gg_world *world, struct gg_trainer *all, struct lone_trainer *lone,
                         int repeats, struct series *together, struct series *apart) {
    for (int i = -1; i < repeats; i++) { /* the first warms up */
        GG_TRY(take_step(all, i >= 0 ? together : NULL));
        if (i < 0)
            all->kernels = (struct gg_gpt_times){0};
        if (lone == NULL)
            continue;
        gg_status status = GG_OK;
        if (world->rank == 0)
            status = take_step(&lone->trainer, i >= 0 ? apart : NULL);
        wait_quietly(world->comm);
        GG_TRY(gg_agree(world->comm, status));
    }
    return GG_OK;
}

static double largest_of(MPI_Comm comm, double value) {
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm);
    return value;
}

/* Collective: peaks and waits are the worst rank's. */
static struct figures work_out(const struct gg_world *world, struct gg_trainer *t, struct series *together,
                               struct series *apart) {
    struct figures f = {0};
    f.step_seconds = gg_median(together->seconds, together->count);
    f.spread = gg_spread(together->seconds, together->count);
    f.tokens_per_s = (double)t->plan.tokens_per_step / f.step_seconds;
    f.mfu = f.tokens_per_s * gg_gpt_flops_per_token(&t->config) / t->gemm.all;
    for (int phase = 0; phase < GG_PHASES; phase++)
        f.phases[phase] = gg_median(together->phases[phase], together->count);
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++) {
        f.kernels.forward[kind] = t->kernels.forward[kind] / together->count;
        f.kernels.backward[kind] = t->kernels.backward[kind] / together->count;
    }
    f.peak_bytes = largest_of(world->comm, (double)gg_memory_peak());
    f.announced_bytes = largest_of(world->comm, (double)gg_train_memory_total(&t->plan.memory));
    f.data_share = largest_of(world->comm, f.phases[GG_PHASE_DATA]) / f.step_seconds;
    if (apart->count > 0)
        f.alone_step_seconds = gg_median(apart->seconds, apart->count);
    return f;
}

static void print_words(const struct gg_trainer *t, const struct figures *f, int repeats) {
    const double step = f->step_seconds, per_cent = 100 / step;
    printf(
        "%lld layers, width %lld, context %lld; %d ranks x %d threads, D x P x Q = %d x %d x %d, ZeRO %lld\n",
        (long long)t->config.layers, (long long)t->config.width, (long long)t->config.context, t->world->size,
        omp_get_max_threads(), t->topology.replicas, t->topology.feature_shards, t->topology.token_shards,
        (long long)t->settings->parallel.zero);
    printf("a step is %lld sequences in %lld micro-batch(es) of %lld on each replica\n",
           (long long)t->settings->batch.sequences, (long long)t->plan.accumulation,
           (long long)t->settings->batch.micro);
    printf("GEMM rate      %.1f GFLOP/s over all ranks (%s; C = A B^T, 2048 cubed, best of 5, all at once)\n",
           t->gemm.all / 1e9, gg_matmul_library());
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
    if (f->alone_step_seconds == 0) /* else rank 0 holds two models */
        printf("peak memory    %.1f MB of a rank, announced %.1f MB (%+.1f%%)\n", f->peak_bytes / 1e6,
               f->announced_bytes / 1e6, 100 * (f->peak_bytes / f->announced_bytes - 1));
    if (f->alone_step_seconds > 0) {
        const double alone = (double)(t->settings->batch.micro * t->config.context) / f->alone_step_seconds;
        printf("rank 0 alone   %.1f tokens/s; all ranks are %.3f times that\n", alone,
               f->tokens_per_s / alone);
    }
}

static json_t *kernels_json(const double seconds[GG_KERNEL_KINDS]) {
    json_t *object = json_object();
    for (int kind = 0; kind < GG_KERNEL_KINDS; kind++)
        json_object_set_new(object, gg_kernel_kind_names[kind], json_real(seconds[kind]));
    return object;
}

static void print_json(const struct gg_trainer *t, const struct figures *f, int repeats) {
    json_t *phases = json_object();
    for (int phase = 0; phase < GG_PHASE_EVAL; phase++)
        json_object_set_new(phases, gg_phase_names[phase], json_real(f->phases[phase]));
    json_t *all = json_pack("{s:i, s:i, s:s, s:f, s:i, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:f, s:f, s:f}",
                            "ranks", t->world->size, "threads", omp_get_max_threads(), "matmul",
                            gg_matmul_library(), "gemm_gflops", t->gemm.all / 1e9, "repeats", repeats,
                            "step_s", f->step_seconds, "spread", f->spread, "tokens_per_s", f->tokens_per_s,
                            "mfu", f->mfu, "seconds", phases, "forward", kernels_json(f->kernels.forward),
                            "backward", kernels_json(f->kernels.backward), "data_share", f->data_share,
                            "peak_bytes", f->peak_bytes, "announced_bytes", f->announced_bytes);
    GG_ASSERT(all != NULL);
    if (f->alone_step_seconds > 0)
        json_object_set_new(all, "alone_step_s", json_real(f->alone_step_seconds));
    json_dumpf(all, stdout, JSON_REAL_PRECISION(7));
    putchar('\n');
    json_decref(all);
}

gg_status gg_bench_step(const struct gg_world *world, const struct gg_settings *settings,
                        const struct gg_bench_step_options *options) {
    static struct series together, apart;
    struct gg_trainer trainer = {0};
    struct lone_trainer lone = {0};
    const bool alone = options->alone && world->size > 1;
    together.count = apart.count = 0;
    gg_status status = gg_trainer_create(world, settings, GG_TRAINER_BENCH, &trainer);
    if (status == GG_OK && alone)
        status = gg_agree(world->comm, world->rank == 0 ? make_alone(&lone, settings) : GG_OK);
    if (status == GG_OK)
        status = measure(world, &trainer, alone ? &lone : NULL, options->repeats, &together, &apart);
    if (status == GG_OK) {
        const struct figures figures = work_out(world, &trainer, &together, &apart);
        if (world->rank == 0 && options->json)
            print_json(&trainer, &figures, options->repeats);
        else if (world->rank == 0)
            print_words(&trainer, &figures, options->repeats);
    }
    if (lone.trainer.world != NULL) {
        gg_trainer_destroy(&lone.trainer);
        MPI_Comm_free(&lone.world.comm);
    }
    gg_trainer_destroy(&trainer);
    return status;
}
