/* The bucketed sum of gradients: values, bounds of buckets, the same bits on every replica and every time,
 * whoever makes progress. */
#include "core/plan/legality.h"
#include "jobs/command/settings.h"
#include "mpi/reduce/progress_thread.h"
#include "mpi/reduce/reduction.h"
#include "mpi/world/topology.h"
#include "mpi/world/world.h"
#include "tests/check.h"

#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ELEMENTS = 100003 };
static struct gg_world world;

static float value(int rank, int64_t i) {
    return (float)(sin((double)(i % 1000) * 0.37 + rank * 1.7) * (double)(1 + i % 7));
}

static void fill(float *gradients, int64_t elements) {
    for (int64_t i = 0; i < elements; i++)
        gradients[i] = value(world.rank, i);
}

/* Makes the gradients final in uneven pieces, as a backward pass does, the hook called idle in between. */
static void backward(const struct gg_gradient_hook *hook, int64_t elements) {
    hook->ready(hook->context, elements);
    for (int64_t from = elements - elements / 3; from > 0; from -= elements / 5 + 1) {
        hook->ready(hook->context, from);
        hook->ready(hook->context, from);
    }
    hook->ready(hook->context, 0);
}

static const enum gg_reduction ways[] = {GG_REDUCTION_PAIRWISE, GG_REDUCTION_TREE};

static struct gg_reducer_options options_of(int64_t elements, size_t bucket_bytes, enum gg_reduction way) {
    const struct gg_summation summation = gg_summation_make(world.size, world.size, way);
    return (struct gg_reducer_options){.partition = gg_partition_cut(elements, bucket_bytes, &summation)};
}

static void reduce(float *gradients, const struct gg_reducer_options *options) {
    gg_reducer *reducer;
    CHECK_OK(gg_reducer_create(world.comm, gradients, options, &reducer));
    const struct gg_gradient_hook hook = gg_reducer_hook(reducer);
    gg_reducer_begin(reducer);
    backward(&hook, options->partition.elements);
    gg_reducer_finish(reducer);
    gg_reducer_destroy(&reducer);
    assert_null(reducer);
}

/* What each element must be to the bit: neighbours added, then pairs of pairs, level by level. */
static float *exact_sum(int64_t elements) {
    float *sum = malloc((size_t)elements * sizeof(float));
    for (int64_t i = 0; i < elements; i++) {
        float level[64] = {0};
        int count = world.size;
        for (int rank = 0; rank < count; rank++)
            level[rank] = value(rank, i);
        for (; count > 1; count = (count + 1) / 2)
            for (int k = 0; 2 * k < count; k++)
                level[k] = 2 * k + 1 < count ? level[2 * k] + level[2 * k + 1] : level[2 * k];
        sum[i] = level[0];
    }
    return sum;
}

static void sums_for_any_bucket(void **state) {
    (void)state;
    const size_t bucket_bytes[] = {1, 1000, 40000, ELEMENTS * 4, (size_t)GG_BUCKET_BYTES};
    const int64_t elements[] = {13, 1013, ELEMENTS, ELEMENTS, ELEMENTS};
    float *gradients = malloc(ELEMENTS * sizeof(float)), *expected = exact_sum(ELEMENTS);
    for (int i = 0; i < 5; i++)
        for (int way = 0; way < 2; way++)
            for (int thread = 0; thread < 2; thread++) {
                struct gg_reducer_options options = options_of(elements[i], bucket_bytes[i], ways[way]);
                options.thread = thread;
                fill(gradients, elements[i]);
                reduce(gradients, &options);
                assert_memory_equal(expected, gradients, (size_t)elements[i] * sizeof(float));
            }
    free(gradients);
    free(expected);
}

/* Whoever makes progress, however many threads add up, however late a replica is: the same bits. */
static void same_bits(void **state) {
    (void)state;
    const int threads = omp_get_max_threads();
    float *gradients = malloc(ELEMENTS * sizeof(float)), *expected = exact_sum(ELEMENTS);
    for (int way = 0; way < 4; way++) {
        /* One replica's thread, or none, or all. */
        struct gg_reducer_options options = options_of(ELEMENTS, 50000, ways[way / 2]);
        options.thread = way % 2 == 1 && world.rank != 1;
        gg_reducer *reducer;
        CHECK_OK(gg_reducer_create(world.comm, gradients, &options, &reducer));
        const struct gg_gradient_hook hook = gg_reducer_hook(reducer);
        for (int step = 0; step < 4; step++) {
            omp_set_num_threads(1 + step % 3);
            fill(gradients, ELEMENTS);
            gg_reducer_begin(reducer);
            if (step == 1 && world.rank == 0)
                usleep(100000);
            if (step < 2 || world.rank == 0)
                backward(&hook, ELEMENTS);
            gg_reducer_finish(reducer);
            assert_memory_equal(expected, gradients, ELEMENTS * sizeof(float));
        }
        const struct gg_reducer_times times = gg_reducer_times(reducer);
        assert_true(times.visible >= 0 && times.visible < 60);
        assert_true((times.hook > 0) == (world.size > 1));
        gg_reducer_destroy(&reducer);
        gg_reducer_destroy(&reducer);
    }
    omp_set_num_threads(threads);
    free(gradients);
    free(expected);
}

/* Messages in the rounds of each way, and the least bytes: of a bucket all parts but the replica's own, out and back. */
static void least_traffic(void **state) {
    (void)state;
    const int messages[][9] = {{0, 0, 1, 2, 3, 4, 5, 6, 7}, {0, 0, 1, 2, 2, 4, 3, 6, 3}};
    const int64_t elements = 16 * 3 * 5 * 7 * 8 * 4; /* whole lines for each of up to 8, in four buckets */
    float *gradients = calloc((size_t)elements, sizeof(float));
    assert_in_range(world.size, 1, 8);
    for (int way = 0; way < 2; way++)
        for (int wire = 0; wire < 2; wire++) {
            struct gg_reducer_options options = options_of(elements, (size_t)elements, ways[way]);
            options.wire = wire == 0 ? GG_PRECISION_FP32 : GG_PRECISION_BF16;
            gg_reducer *reducer;
            CHECK_OK(gg_reducer_create(world.comm, gradients, &options, &reducer));
            gg_reducer_begin(reducer);
            gg_reducer_finish(reducer);
            const struct gg_bucket_traffic traffic = gg_reducer_traffic(reducer);
            assert_int_equal(traffic.messages, 2 * 4 * messages[way][world.size]);
            assert_int_equal(traffic.bytes,
                             2 * elements * (world.size - 1) / world.size * (wire == 0 ? 4 : 2));
            gg_reducer_destroy(&reducer);
        }
    free(gradients);
}

/* In bf16 each sum is off, and what it is off by is in later ones: over many steps nothing is lost. With and without
 * scatter the owner has the same bits, and every replica the owner's. */
static void rounding_is_made_up_for(void **state) {
    (void)state;
    enum { STEPS = 40, SOME = 5003 };
    float *gradients = malloc(SOME * sizeof(float)), *root = malloc(SOME * sizeof(float)),
          *scattered_gradients = malloc(SOME * sizeof(float)), *exact = exact_sum(SOME);
    double *total = calloc(SOME, sizeof(double));
    for (int way = 0; way < 2; way++) {
        struct gg_reducer_options options = options_of(SOME, 4000, ways[way]);
        options.wire = GG_PRECISION_BF16;
        gg_reducer *reducer, *scatter;
        CHECK_OK(gg_reducer_create(world.comm, gradients, &options, &reducer));
        options.scatter = true;
        CHECK_OK(gg_reducer_create(world.comm, scattered_gradients, &options, &scatter));
        memset(total, 0, SOME * sizeof(double));
        double once = 0;
        for (int step = 0; step < STEPS; step++) {
            fill(gradients, SOME);
            fill(scattered_gradients, SOME);
            gg_reducer_begin(reducer);
            gg_reducer_finish(reducer);
            gg_reducer_begin(scatter);
            gg_reducer_finish(scatter);
            memcpy(root, gradients, SOME * sizeof(float));
            MPI_Bcast(root, SOME, MPI_FLOAT, 0, world.comm);
            assert_memory_equal(root, gradients, SOME * sizeof(float));
            int count;
            const struct gg_owned_range *owned = gg_reducer_owned(scatter, &count);
            for (int i = 0; i < count; i++)
                assert_memory_equal(owned[i].gradients, gradients + owned[i].from,
                                    (size_t)(owned[i].to - owned[i].from) * sizeof(float));
            for (int i = 0; i < SOME; i++) {
                total[i] += (double)gradients[i];
                once = step == 0 ? fmax(once, fabs((double)gradients[i] - (double)exact[i])) : once;
            }
        }
        double off = 0;
        for (int i = 0; i < SOME; i++)
            off = fmax(off, fabs(total[i] - STEPS * (double)exact[i]));
        /* Half of a last place, 2^-8, of what up to 7 a replica come to: of the shares, of half the partial sums in
         * each of up to three rounds, and of the sum. The same for any number of steps. */
        const double bound = 7.0 * world.size / 256 * 2.5;
        assert_true(off <= bound);
        if (world.size > 1) /* which steps that each were off as the first would not keep to */
            assert_true(STEPS * once > 4 * bound);
        gg_reducer_destroy(&reducer);
        gg_reducer_destroy(&scatter);
    }
    free(gradients);
    free(scattered_gradients);
    free(root);
    free(exact);
    free(total);
}

/* After gradients that are not finite nothing of them may come back. */
static void errors_are_forgotten(void **state) {
    (void)state;
    enum { SOME = 100 };
    float gradients[SOME];
    struct gg_reducer_options options = options_of(SOME, 4000, GG_REDUCTION_TREE);
    options.wire = GG_PRECISION_BF16;
    gg_reducer *reducer;
    CHECK_OK(gg_reducer_create(world.comm, gradients, &options, &reducer));
    const float each[] = {INFINITY, 1, INFINITY, 1};
    for (int step = 0; step < 4; step++) {
        for (int i = 0; i < SOME; i++)
            gradients[i] = each[step];
        gg_reducer_begin(reducer);
        gg_reducer_finish(reducer);
        if (step == 1 && world.size > 1) /* infinite less infinite: it does come back */
            assert_true(isnan(gradients[0]));
        if (step > 0)
            gg_reducer_forget_errors(reducer);
    }
    assert_true(gradients[0] == (float)world.size && gradients[SOME - 1] == (float)world.size);
    gg_reducer_destroy(&reducer);
}

/* Some work for a progress thread: `left` pieces, of which now and then none can be done. */
struct pieces {
    _Atomic int64_t left;
    _Atomic int calls, most_threads;
};

static bool do_piece(void *context) {
    struct pieces *p = context;
    if (omp_get_max_threads() > p->most_threads)
        p->most_threads = omp_get_max_threads();
    if (p->calls++ % 3 == 0)
        return false;
    p->left--;
    return true;
}

static bool all_done(void *context) {
    const struct pieces *p = context;
    return p->left == 0;
}

static void thread_works_when_woken(void **state) {
    (void)state;
    struct pieces pieces = {0};
    const struct gg_progress_work work = {do_piece, all_done, &pieces};
    gg_progress_thread *thread;
    assert_true(gg_world_takes_threads());
    omp_set_num_threads(3);
    CHECK_OK(gg_progress_thread_start(&work, NULL, &thread));
    gg_progress_thread_wait(thread);
    assert_int_equal(pieces.calls, 0);
    for (int round = 1; round <= 50; round++) {
        pieces.left = 40;
        gg_progress_thread_wake(thread);
        gg_progress_thread_wait(thread);
        assert_int_equal(pieces.left, 0);
    }
    /* Nobody waits, and nobody else does it. */
    pieces.left = 1000;
    gg_progress_thread_wake(thread);
    for (int i = 0; i < 3000 && pieces.left > 0; i++)
        usleep(10000);
    assert_int_equal(pieces.left, 0);
    gg_progress_thread_stop(&thread);
    gg_progress_thread_stop(&thread);
    omp_set_num_threads(1);
    assert_int_equal(pieces.most_threads, 1);
}

/* ZeRO: owned ranges hold the sums, cover every element once over the replicas, and are gathered to the
 * whole. */
static void scattered(void **state) {
    (void)state;
    float *gradients = malloc(ELEMENTS * sizeof(float)), *flat = calloc(ELEMENTS, sizeof(float));
    gg_reducer *reducer;
    struct gg_reducer_options options = options_of(ELEMENTS, 30000, GG_REDUCTION_TREE);
    options.scatter = true;
    CHECK_OK(gg_reducer_create(world.comm, gradients, &options, &reducer));
    const struct gg_gradient_hook hook = gg_reducer_hook(reducer);
    for (int step = 0; step < 2; step++) {
        fill(gradients, ELEMENTS);
        gg_reducer_begin(reducer);
        backward(&hook, ELEMENTS);
        gg_reducer_finish(reducer);
    }
    int count;
    const struct gg_owned_range *owned = gg_reducer_owned(reducer, &count);
    int64_t elements = 0, all;
    for (int i = 0; i < count; i++) {
        assert_int_equal(owned[i].at, elements);
        memcpy(flat + owned[i].from, owned[i].gradients,
               (size_t)(owned[i].to - owned[i].from) * sizeof(float));
        elements += owned[i].to - owned[i].from;
    }
    assert_int_equal(elements, gg_partition_ranges(&options.partition, world.rank, NULL));
    assert_true(elements <= ELEMENTS / world.size + 16 * count);
    MPI_Allreduce(&elements, &all, 1, MPI_INT64_T, MPI_SUM, world.comm);
    assert_int_equal(all, ELEMENTS);
    gg_reducer_gather(reducer, flat);
    float *expected = exact_sum(ELEMENTS); /* the bits that every replica gets without scatter */
    assert_memory_equal(flat, expected, ELEMENTS * sizeof(float));
    free(expected);

    gg_reducer_destroy(&reducer);
    free(gradients);
    free(flat);
}

static void grids(void **state) {
    (void)state;
    int p, q;
    CHECK_OK(gg_grid_parse("2x3", &p, &q));
    assert_true(p == 2 && q == 3);
    const char *const bad[] = {"", "2", "2x", "x2", "0x1", "2x2x2", "-1x1", "2 x2", "1x99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAILS(gg_grid_parse(bad[i], &p, &q), GG_USAGE, "parallel.grid");
    for (int columns = 1; columns <= world.size; columns++) {
        if (world.size % columns != 0)
            continue;
        struct gg_topology topology;
        const struct gg_place place = gg_place_of(world.size, 1, columns, world.rank);
        gg_topology_create(&world, &place, &topology);
        int size, rank;
        MPI_Comm_size(topology.across_replicas, &size);
        MPI_Comm_rank(topology.across_replicas, &rank);
        assert_true(topology.replicas == size && size == world.size / columns && rank == topology.replica);
        MPI_Comm_size(topology.grid, &size);
        MPI_Comm_rank(topology.grid, &rank);
        assert_true(size == columns && rank == topology.shards.token_index &&
                    topology.shards.feature_index == 0);
        gg_topology_free(&topology);
    }
}

static void refused_grids(void **state) {
    (void)state;
    struct gg_settings settings;
    gg_settings_init(&settings); /* 6 heads, width 384, 32 sequences, micro-batches of 8 */
    const struct gg_plan_request request = gg_settings_plan_request(&settings);
    struct gg_place place;
    const struct {
        const char *grid, *part;
    } cases[] = {{"2x2", "multiple of 4 ranks, and there are 6; on 6 ranks these work: 2x1, 1x2, 6x1, 3x2"},
                 {"1x3", "3 token shards do not divide batch.micro 8"},
                 {"1y1", "PxQ"}};
    settings.batch.sequences = 24;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_OK(gg_settings_set(&settings, "parallel.grid", cases[i].grid, "test"));
        CHECK_FAILS(gg_legality_grid(&request, 6, 0, &place), GG_USAGE, cases[i].part);
    }
    CHECK_OK(gg_settings_set(&settings, "parallel.grid", "3x2", "test"));
    CHECK_OK(gg_legality_grid(&request, 6, 0, &place));
    CHECK_OK(gg_settings_set(&settings, "parallel.grid", "4x1", "test"));
    CHECK_FAILS(gg_legality_grid(&request, 4, 0, &place), GG_USAGE, "do not divide model.heads 6");
    gg_settings_free(&settings);
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_for_any_bucket),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(least_traffic),
        cmocka_unit_test(rounding_is_made_up_for),
        cmocka_unit_test(errors_are_forgotten),
        cmocka_unit_test(thread_works_when_woken),
        cmocka_unit_test(scattered),
        cmocka_unit_test(grids),
        cmocka_unit_test(refused_grids),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gg_world_stop(&world);
    return failed;
}
