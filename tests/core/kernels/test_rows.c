/* Biases, positions and their gradients; embedding rows and theirs: against their plain twins. */
#include "tests/kernel_case.h"

#include "core/kernels/rows.h"
#include "core/model/fabric.h"
#include "tests/reference/reference_embedding.h"
#include "tests/reference/reference_rows.h"

struct arguments {
    int64_t tokens, time, width, rows;
    struct tensor *x, *vector, *y;
    const int32_t *ids; /* of embedding rows; or where texts begin */
};

static void bias_add(const void *argument) {
    const struct arguments *a = argument;
    gg_bias_add(a->x->stored, a->x->values, a->vector->values, a->tokens, a->width);
}

static void bias_gradient(const void *argument) {
    const struct arguments *a = argument;
    gg_bias_gradient(a->x->stored, a->x->values, a->vector->values, a->tokens, a->width);
}

static void positions_add(const void *argument) {
    const struct arguments *a = argument;
    gg_positions_add(a->x->stored, a->x->values, a->vector->values, a->ids, a->tokens, a->time, a->width);
}

static void positions_gradient(const void *argument) {
    const struct arguments *a = argument;
    gg_positions_gradient(a->x->stored, a->x->values, a->vector->values, a->ids, a->tokens, a->time,
                          a->width);
}

/* rows added to x: one rounding. */
static void check_add(const char *what, void (*run)(const void *), enum gg_precision stored, int64_t tokens,
                      int64_t time, int64_t width) {
    struct tensor x = tensor_make(stored, 1, tokens * width);
    struct tensor rows = tensor_make(GG_PRECISION_FP32, 2, time * width);
    const struct arguments a = {.tokens = tokens, .time = time, .width = width, .x = &x, .vector = &rows};
    double *expected = case_doubles(x.count), *sizes = case_doubles(x.count);
    reference_rows_add(x.exact, rows.exact, tokens, time, width, expected);
    reference_rows_add(tensor_magnitudes(&x), tensor_magnitudes(&rows), tokens, time, width, sizes);
    run_with_threads(run, &a, (struct tensor *const[]){&x}, 1);
    tensor_check(what, &x, expected, sizes, 1);
}

/* A sum over as many rows as have the same vector, added to what there was: so many roundings. */
static void check_gradient(const char *what, void (*run)(const void *), enum gg_precision stored,
                           int64_t tokens, int64_t time, int64_t width) {
    struct tensor d_y = tensor_make(stored, 3, tokens * width);
    struct tensor gradient = tensor_make(GG_PRECISION_FP32, 4, time * width);
    const struct arguments a = {
        .tokens = tokens, .time = time, .width = width, .x = &d_y, .vector = &gradient};
    double *expected = tensor_results(&gradient), *sizes = tensor_magnitudes(&gradient);
    reference_rows_gradient(d_y.exact, tokens, time, width, expected);
    reference_rows_gradient(tensor_magnitudes(&d_y), tokens, time, width, sizes);
    run_with_threads(run, &a, (struct tensor *const[]){&gradient}, 1);
    tensor_check(what, &gradient, expected, sizes, sum_units(tokens / time + 2));
}

static void check_biases(enum gg_precision stored, int64_t tokens, int64_t width) {
    check_add("bias", bias_add, stored, tokens, 1, width);
    check_gradient("bias gradient", bias_gradient, stored, tokens, 1, width);
}

static void biases(void **state) {
    (void)state;
    for_each_shape(check_biases);
}

/* Whole sequences, and a last one that is not whole. */
static void check_positions(enum gg_precision stored, int64_t tokens, int64_t width) {
    for (int64_t time = tokens > 3 ? tokens / 3 : 1; time <= tokens;
         time = time < tokens ? tokens : time + 1) {
        check_add("positions", positions_add, stored, tokens, time, width);
        check_gradient("positions' gradient", positions_gradient, stored, tokens, time, width);
    }
}

static void positions(void **state) {
    (void)state;
    for_each_shape(check_positions);
}

/* Texts of three tokens, of which each has one of three positions, whatever the sequence's length. */
static void check_texts(enum gg_precision stored, int64_t tokens, int64_t width) {
    enum { LENGTH = 3 };
    const int64_t time = tokens > LENGTH ? tokens / LENGTH * LENGTH : tokens;
    int32_t *starts = case_take((size_t)tokens * sizeof *starts, 0);
    for (int64_t t = 0; t < tokens; t++)
        starts[t] = (int32_t)(t % time / LENGTH * LENGTH);
    struct tensor x = tensor_make(stored, 1, tokens * width), d_y = tensor_make(stored, 3, tokens * width);
    struct tensor rows = tensor_make(GG_PRECISION_FP32, 2, time * width),
                  gradient = tensor_make(GG_PRECISION_FP32, 4, time * width);
    const int64_t period = time < LENGTH ? time : LENGTH;
    double *expected = case_doubles(x.count), *sizes = case_doubles(x.count);
    double *d_expected = tensor_results(&gradient), *d_sizes = tensor_magnitudes(&gradient);
    const struct arguments
        a = {.tokens = tokens, .time = time, .width = width, .x = &x, .vector = &rows, .ids = starts},
        d = {.tokens = tokens, .time = time, .width = width, .x = &d_y, .vector = &gradient, .ids = starts};
    reference_rows_add(x.exact, rows.exact, tokens, period, width, expected);
    reference_rows_add(tensor_magnitudes(&x), tensor_magnitudes(&rows), tokens, period, width, sizes);
    reference_rows_gradient(d_y.exact, tokens, period, width, d_expected);
    reference_rows_gradient(tensor_magnitudes(&d_y), tokens, period, width, d_sizes);
    run_with_threads(positions_add, &a, (struct tensor *const[]){&x}, 1);
    tensor_check("positions of texts", &x, expected, sizes, 1);
    run_with_threads(positions_gradient, &d, (struct tensor *const[]){&gradient}, 1);
    tensor_check("their gradient", &gradient, d_expected, d_sizes, sum_units(tokens / period + 2));
}

static void texts(void **state) {
    (void)state;
    for_each_shape(check_texts);
}

static void embedding_rows(const void *argument) {
    const struct arguments *a = argument;
    const struct gg_fabric fabric = gg_fabric_local();
    fabric.embedding_rows(&fabric, a->x->values, a->rows, (size_t)a->width * gg_stored_bytes(a->x->stored),
                          a->ids, a->tokens, a->y->values);
}

static void embedding_gradient(const void *argument) {
    const struct arguments *a = argument;
    const struct gg_fabric fabric = gg_fabric_local();
    fabric.embedding_gradient(&fabric, a->y->stored, a->y->values, a->ids, a->tokens, a->vector->values,
                              a->rows, a->width);
}

/* Rows are copied as they are; of 11 rows some are asked for often, and the last never. */
static void check_embedding(enum gg_precision stored, int64_t tokens, int64_t width) {
    enum { ROWS = 11 };
    struct tensor table = tensor_make(stored, 1, ROWS * width), y = tensor_make(stored, 2, tokens * width);
    struct tensor gradient = tensor_make(GG_PRECISION_FP32, 3, ROWS * width);
    int32_t *ids = case_take((size_t)tokens * sizeof *ids, 0);
    for (int64_t t = 0; t < tokens; t++)
        ids[t] = (int32_t)(gg_random_bits(1, 2, (uint64_t)t) % (ROWS - 1));
    const struct arguments a = {tokens, 0, width, ROWS, &table, &gradient, &y, ids};
    double *expected = case_doubles(y.count), *d_expected = tensor_results(&gradient);
    double *sizes = tensor_magnitudes(&gradient);
    reference_embedding_gradient(y.exact, ids, tokens, width, d_expected);
    reference_embedding_gradient(tensor_magnitudes(&y), ids, tokens, width, sizes);
    run_with_threads(embedding_gradient, &a, (struct tensor *const[]){&gradient}, 1);
    tensor_check("embedding's gradient", &gradient, d_expected, sizes, sum_units(tokens + 1));
    reference_embedding(table.exact, ids, tokens, width, expected);
    run_with_threads(embedding_rows, &a, (struct tensor *const[]){&y}, 1);
    for (int64_t i = 0; i < y.count; i++)
        assert_true((double)gg_load(stored, y.values, i) == expected[i]);
}

static void embedding(void **state) {
    (void)state;
    for_each_shape(check_embedding);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(biases), cmocka_unit_test(positions),
                                       cmocka_unit_test(texts), cmocka_unit_test(embedding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
