/* Optimizers against PyTorch's numbers, AdamW against its plain twin too; the gradient's square sum. */
#include "tests/kernel_case.h"
#include "tests/optimizer_update.h"
#include "tests/reference/reference_adamw.h"

enum { COUNT = 37, OFFSET = 48, TOTAL = 96, LAST_STEP = 50 };

/* Two vectors of COUNT elements at 0 and OFFSET, the first with decay. */
static struct gg_parameter items[2] = {
    {.layout = GG_LAYOUT_MATRIX, .local_rows = 1, .local_columns = COUNT, .decay = true, .offset = 0},
    {.layout = GG_LAYOUT_VECTOR, .local_rows = 1, .local_columns = COUNT, .decay = false, .offset = OFFSET},
};
static const struct gg_parameter_table table = {
    .items = items, .count = 2, .local_elements = TOTAL, .shards = {.feature_shards = 1, .token_shards = 1}};
static const struct gg_optimizer sgd = {.kind = &gg_optimizer_sgd, .momentum = 0.9, .weight_decay = 0.1};

static double weight(int tensor, int i) {
    return sin(0.7 * i + tensor);
}

static double gradient(int tensor, int i, int step) {
    return cos(1.3 * i + step + tensor) * pow(10, i % 5 - 3);
}

static void fill_gradients(int step, float *gradients) {
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < COUNT; i++)
            gradients[t * OFFSET + i] = (float)gradient(t, i, step);
}

static void fill_weights(float *weights) {
    memset(weights, 0, TOTAL * sizeof *weights);
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < COUNT; i++)
            weights[t * OFFSET + i] = (float)weight(t, i);
}

static double clip_factor(const float *gradients) {
    const double norm = sqrt(gg_gradient_square_sum(&table, 0, TOTAL, gradients));
    return norm > 1 ? 1 / norm : 1;
}

static FILE *open_golden(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/%s.txt", getenv("GG_SOURCE"), name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    return file;
}

static void compare_with_pytorch(const struct gg_optimizer *optimizer) {
    float gradients[TOTAL] = {0}, exp_avg[TOTAL] = {0}, exp_avg_sq[TOTAL] = {0}, weights[TOTAL],
          expected[COUNT];
    fill_weights(weights);
    FILE *golden = open_golden(optimizer->kind->name);
    int step = 0, lines = 0, golden_step, tensor;
    while (fscanf(golden, "%d %d", &golden_step, &tensor) == 2) {
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(fscanf(golden, "%f", &expected[i]), 1);
        while (step < golden_step) {
            step++;
            fill_gradients(step, gradients);
            optimizer_update(optimizer, &table, 0, TOTAL, 1e-2 / step, step, clip_factor(gradients),
                             gradients, exp_avg, exp_avg_sq, weights, NULL);
        }
        check_close("weights", weights + tensor * OFFSET, expected, COUNT, 2e-6);
        lines++;
    }
    fclose(golden);
    assert_int_equal(lines, 8);
    assert_int_equal(step, LAST_STEP);
}

static void same_as_pytorch(void **state) {
    (void)state;
    compare_with_pytorch(&adamw);
    compare_with_pytorch(&sgd);
}

/* SGD's rounded weights are those of its weights, and a range updated alone has the whole's bits. */
static void sgd_rounds_and_cuts(void **state) {
    (void)state;
    float gradients[TOTAL] = {0}, momentum[2][TOTAL] = {{0}}, weights[2][TOTAL];
    gg_bf16 rounded[TOTAL];
    fill_weights(weights[0]);
    fill_weights(weights[1]);
    for (int step = 1; step <= 3; step++) {
        fill_gradients(step, gradients);
        optimizer_update(&sgd, &table, 0, TOTAL, 1e-2, step, 0.7, gradients, momentum[0], NULL, weights[0],
                         rounded);
        const int64_t cuts[] = {0, 16, 64, TOTAL};
        for (int i = 0; i < 3; i++)
            optimizer_update(&sgd, &table, cuts[i], cuts[i + 1], 1e-2, step, 0.7, gradients + cuts[i],
                             momentum[1] + cuts[i], NULL, weights[1] + cuts[i], NULL);
    }
    assert_memory_equal(weights[0], weights[1], sizeof weights[0]);
    assert_memory_equal(momentum[0], momentum[1], sizeof momentum[0]);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(rounded[i], gg_bf16_round(weights[0][i]));
}

/* The updates of one tensor, and what they should come to. */
struct updates {
    struct gg_parameter_table table;
    struct tensor gradients, exp_avg, exp_avg_sq, weights, rounded;
};

enum { STEPS = 20 };

static void update(const void *argument) {
    const struct updates *u = argument;
    for (int step = 1; step <= STEPS; step++)
        adamw_update(&u->table, 0, u->weights.count, 3e-3, step, 0.5, u->gradients.values, u->exp_avg.values,
                     u->exp_avg_sq.values, u->weights.values, step % 2 == 0 ? u->rounded.values : NULL);
}

/* Of each update the moments keep less and less of their roundings; the weights keep all of two: the decay
 * factor's own, the same in each, and the weight's. */
static void check_updates(int64_t count, bool decay) {
    struct gg_parameter item = {
        .layout = GG_LAYOUT_VECTOR, .local_rows = 1, .local_columns = count, .decay = decay};
    const struct updates u = {.table = {.items = &item,
                                        .count = 1,
                                        .local_elements = count,
                                        .shards = {.feature_shards = 1, .token_shards = 1}},
                              .gradients = tensor_make(GG_PRECISION_FP32, 1, count),
                              .exp_avg = tensor_scaled(GG_PRECISION_FP32, 2, count, 0),
                              .exp_avg_sq = tensor_scaled(GG_PRECISION_FP32, 3, count, 0),
                              .weights = tensor_make(GG_PRECISION_FP32, 4, count),
                              .rounded = tensor_make(GG_PRECISION_BF16, 5, count)};
    struct updates work = u;
    double *g = case_doubles(count), *m = case_doubles(count), *v = case_doubles(count),
           *sizes = case_doubles(count);
    const struct reference_adamw plain = {adamw.beta1, adamw.beta2, adamw.eps, decay ? adamw.weight_decay : 0,
                                          3e-3};
    for (int64_t i = 0; i < count; i++) {
        g[i] = 0.5 * u.gradients.exact[i];
        sizes[i] = fabs(u.weights.exact[i]) + STEPS * plain.learning_rate;
    }
    for (int step = 1; step <= STEPS; step++)
        reference_adamw(&plain, step, count, g, m, v, u.weights.exact);
    run_with_threads(update, &work,
                     (struct tensor *const[]){&work.exp_avg, &work.exp_avg_sq, &work.weights, &work.rounded},
                     4);
    tensor_check("exp_avg", &work.exp_avg, m, NULL, STEPS);
    tensor_check("exp_avg_sq", &work.exp_avg_sq, v, NULL, STEPS);
    tensor_check("weights", &work.weights, u.weights.exact, sizes, 2 * STEPS);
    for (int64_t i = 0; i < count; i++)
        assert_true((double)gg_load(GG_PRECISION_BF16, u.rounded.values, i) ==
                    reference_bf16((double)((float *)u.weights.values)[i]));
    const double squares = gg_gradient_square_sum(&u.table, 0, count, u.gradients.values);
    assert_true(fabs(squares / reference_square_sum(u.gradients.values, count) - 1) < 1e-13);
    case_end();
}

static void same_as_twin(void **state) {
    (void)state;
    static const int64_t counts[] = {1, 3, 15, 17, 63, 65, 127, 769, 40001};
    for (int i = 0; i < 9; i++)
        for (int decay = 0; decay < 2; decay++)
            check_updates(counts[i], decay);
}

/* A range updated alone gives the bits of the whole update: what a sharded optimizer rests on. */
static void ranges_make_the_whole(void **state) {
    (void)state;
    float gradients[TOTAL] = {0}, exp_avg[2][TOTAL] = {{0}}, exp_avg_sq[2][TOTAL] = {{0}}, weights[2][TOTAL];
    fill_weights(weights[0]);
    fill_weights(weights[1]);
    const int64_t cuts[] = {0, 16, 37, 64, TOTAL};
    for (int step = 1; step <= 3; step++) {
        fill_gradients(step, gradients);
        adamw_update(&table, 0, TOTAL, 1e-2, step, 1, gradients, exp_avg[0], exp_avg_sq[0], weights[0], NULL);
        for (int i = 0; i < 4; i++)
            adamw_update(&table, cuts[i], cuts[i + 1], 1e-2, step, 1, gradients + cuts[i],
                         exp_avg[1] + cuts[i], exp_avg_sq[1] + cuts[i], weights[1] + cuts[i], NULL);
    }
    assert_memory_equal(weights[0], weights[1], sizeof weights[0]);
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += gg_gradient_square_sum(&table, cuts[i], cuts[i + 1], gradients + cuts[i]);
    const double whole = gg_gradient_square_sum(&table, 0, TOTAL, gradients);
    assert_true(fabs(sum - whole) <= 1e-12 * whole);
}

/* However many threads share the work: the same bits, and elements between tensors are left alone. */
static void same_bits_for_any_threads(void **state) {
    (void)state;
    enum { LARGE = 100000 };
    static struct gg_parameter parts[3] = {
        {.layout = GG_LAYOUT_MATRIX, .local_rows = 1, .local_columns = 70001, .decay = true, .offset = 16},
        {.layout = GG_LAYOUT_VECTOR, .local_rows = 1, .local_columns = 5, .offset = 70032},
        {.layout = GG_LAYOUT_MATRIX, .local_rows = 1, .local_columns = 29000, .decay = true, .offset = 70048},
    };
    const struct gg_parameter_table whole = {.items = parts,
                                             .count = 3,
                                             .local_elements = LARGE,
                                             .shards = {.feature_shards = 1, .token_shards = 1}};
    float *buffers[2][4];
    gg_bf16 *rounded[2];
    for (int b = 0; b < 2; b++) {
        for (int i = 0; i < 4; i++)
            buffers[b][i] = malloc(LARGE * sizeof(float));
        rounded[b] = malloc(LARGE * sizeof(gg_bf16));
    }
    double first_squares = 0;
    for (int threads = 1; threads <= 7; threads++) {
        const int b = threads > 1;
        omp_set_num_threads(threads);
        memset(rounded[b], 0x55, LARGE * sizeof(gg_bf16));
        for (int64_t i = 0; i < LARGE; i++) {
            buffers[b][0][i] = (float)gradient(0, (int)i, 1);
            buffers[b][1][i] = 0.01f * (float)weight(1, (int)i);
            buffers[b][2][i] = 0.01f + 0.01f * (float)weight(2, (int)i);
            buffers[b][3][i] = (float)weight(0, (int)i);
        }
        /* A range that begins and ends within tensors. */
        const int64_t from = 32, to = LARGE - 1900;
        adamw_update(&whole, from, to, 1e-3, 2, 0.9, buffers[b][0] + from, buffers[b][1] + from,
                     buffers[b][2] + from, buffers[b][3] + from, rounded[b] + from);
        for (int i = 0; b == 1 && i < 4; i++)
            assert_memory_equal(buffers[0][i], buffers[1][i], LARGE * sizeof(float));
        assert_true(b == 0 || memcmp(rounded[0], rounded[1], LARGE * sizeof(gg_bf16)) == 0);
        const double squares = gg_gradient_square_sum(&whole, from, to, buffers[b][0] + from);
        assert_true(b == 0 || squares == first_squares);
        first_squares = squares;
        assert_true(buffers[b][3][31] == (float)weight(0, 31) && buffers[b][3][32] != (float)weight(0, 32));
        assert_true(buffers[b][3][to] == (float)weight(0, (int)to));
        assert_true(buffers[b][3][70020] == (float)weight(0, 70020) && rounded[b][70020] == 0x5555);
    }
    omp_set_num_threads(1);
    for (int b = 0; b < 2; b++) {
        for (int i = 0; i < 4; i++)
            free(buffers[b][i]);
        free(rounded[b]);
    }
}

static void square_sum_counts_owned_parts(void **state) {
    (void)state;
    struct gg_parameter_table replicated = table;
    replicated.shards.token_shards = 2;
    float gradients[TOTAL];
    for (int i = 0; i < TOTAL; i++)
        gradients[i] = 2;
    assert_true(gg_gradient_square_sum(&replicated, 0, TOTAL, gradients) == 4.0 * 2 * COUNT);
    replicated.shards.token_index = 1;
    assert_true(gg_gradient_square_sum(&replicated, 0, TOTAL, gradients) == 4.0 * COUNT);
    gradients[3] = NAN;
    assert_false(isfinite(gg_gradient_square_sum(&table, 0, TOTAL, gradients)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_pytorch),
        cmocka_unit_test(sgd_rounds_and_cuts),
        cmocka_unit_test(same_as_twin),
        cmocka_unit_test(ranges_make_the_whole),
        cmocka_unit_test(same_bits_for_any_threads),
        cmocka_unit_test(square_sum_counts_owned_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
