/* A step and a validation have the same bits, to the last of their doubles, on any number of replicas that divides the
 * run's virtual ones: what metrics print is shorter. With more gradients than a bucket holds. */
#include "core/base/memory.h"
#include "jobs/replica/replica_step.h"
#include "jobs/use/evaluation.h"
#include "tests/check.h"

#include <string.h>

enum { VOCAB = 45000, CONTEXT = 8, STEPS = 3, SAMPLES = 37 };
static struct gg_world world;

static gg_status read_sample(void *self, uint64_t sample, const struct gg_sample *to) {
    (void)self;
    for (int64_t t = 0; t <= CONTEXT; t++)
        to->tokens[t] = (int32_t)((sample * 7919 + (uint64_t)(t * t) * 104729) % VOCAB);
    return GG_OK;
}

static void close_source(void *self) {
    (void)self;
}

static gg_loader *make_loader(uint64_t end) {
    const struct gg_source source = {.context = CONTEXT,
                                     .end = end,
                                     .samples = SAMPLES,
                                     .vocab = VOCAB,
                                     .read = read_sample,
                                     .close = close_source};
    gg_loader *loader;
    gg_loader_create(&source, &loader);
    return loader;
}

static void read_settings(struct gg_settings *settings, const char *grid, const char *zero,
                          const char *reduction) {
    const char *const words[][2] = {{"model.layers", "1"},
                                    {"model.heads", "2"},
                                    {"model.width", "48"},
                                    {"model.context", "8"},
                                    {"model.dropout", "0.1"},
                                    {"batch.sequences", "32"},
                                    {"batch.micro", "2"},
                                    {"optim.lr", "0.01"},
                                    {"parallel.grid", grid},
                                    {"parallel.zero", zero},
                                    {"parallel.reduction", reduction},
                                    {"parallel.reproducible", "8"}};
    gg_settings_init(settings);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        CHECK_OK(gg_settings_set(settings, words[i][0], words[i][1], "test"));
    CHECK_OK(gg_settings_resolve(settings));
}

/* Losses and norms of some steps, and the loss of a validation whose samples end amid a micro-batch. */
struct outcome {
    double losses[STEPS], norms[STEPS], validation;
};

static void run(const struct gg_world *ranks, const char *grid, const char *zero, const char *reduction,
                struct outcome *outcome) {
    struct gg_settings settings;
    struct gg_replica r = {0};
    read_settings(&settings, grid, zero, reduction);
    CHECK_OK(gg_replica_place(ranks, &settings, &r));
    CHECK_OK(gg_replica_shape(&r, VOCAB, GG_PRECISION_FP32, false));
    assert_true(r.plan.reproduces && (strcmp(grid, "1x1") != 0 || r.plan.partition.bucket_count > 1));
    CHECK_OK(gg_replica_open_training(&r, false, NULL));
    gg_parameters_initialise(&r.graph.table, 1, r.state.weights);
    gg_model_weights_changed(r.model);
    gg_loader *train = gg_replica_reads(&r) ? make_loader(UINT64_MAX) : NULL;
    gg_loader *val = gg_replica_reads(&r) ? make_loader(SAMPLES) : NULL;
    const struct gg_loader_plan plan = {
        0, 32, 2, r.topology.replica, r.topology.replicas, gg_summation_played(&r.plan.partition.summation)};
    if (train != NULL)
        CHECK_OK(gg_loader_start(train, &plan));
    for (int step = 0; step < STEPS; step++) {
        struct gg_replica_step result = {.learning_rate = 0.01};
        CHECK_OK(gg_replica_step(&r, train, &result));
        outcome->losses[step] = result.loss;
        outcome->norms[step] = result.grad_norm;
    }
    const struct gg_evaluator evaluator = {.replica = &r, .model = r.model, .micro = 2};
    struct gg_evaluation evaluation;
    CHECK_OK(gg_evaluate(&evaluator, val, 0, &evaluation));
    assert_true(evaluation.count == SAMPLES * CONTEXT);
    outcome->validation = evaluation.loss;
    gg_loader_destroy(&train);
    gg_loader_destroy(&val);
    gg_replica_close(&r);
    gg_settings_free(&settings);
}

/* The same on the first `count` ranks of the world; the others get it told. */
static void run_on(int count, const char *grid, const char *zero, const char *reduction,
                   struct outcome *outcome) {
    struct gg_world ranks = {.rank = world.rank, .size = count};
    MPI_Comm_split(world.comm, world.rank < count ? 0 : MPI_UNDEFINED, world.rank, &ranks.comm);
    if (world.rank < count) {
        run(&ranks, grid, zero, reduction, outcome);
        MPI_Comm_free(&ranks.comm);
    }
    MPI_Bcast(outcome, sizeof *outcome / sizeof(double), MPI_DOUBLE, 0, world.comm);
}

static void replicas_divide(void **state) {
    (void)state;
    struct outcome alone, other;
    run_on(1, "1x1", "0", "auto", &alone);
    const struct {
        int replicas;
        const char *zero, *reduction;
    } cases[] = {
        {2, "0", "tree"}, {2, "1", "tree"}, {4, "0", "tree"}, {4, "1", "tree"}, {4, "1", "pairwise"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_on(cases[i].replicas, "1x1", cases[i].zero, cases[i].reduction, &other);
        assert_memory_equal(&alone, &other, sizeof alone);
    }
    assert_true(alone.losses[0] != alone.losses[1] && alone.norms[0] > 0 && isfinite(alone.validation));
}

static void grids_do_among_themselves(void **state) {
    (void)state;
    struct outcome alone, other;
    const char *const grids[] = {"2x1", "1x2"};
    for (int i = 0; i < 2; i++) {
        run_on(2, grids[i], "0", "auto", &alone);
        run_on(4, grids[i], "1", "auto", &other);
        assert_memory_equal(&alone, &other, sizeof alone);
    }
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(replicas_divide),
                                       cmocka_unit_test(grids_do_among_themselves)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    /* A rank that failed left the others in a collective: end them all. */
    if (failed != 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    gg_world_stop(&world);
    return failed;
}
