/* The residual stream and dropout of activations against their plain twins. */
#include "tests/kernel_case.h"

#include "core/kernels/residual_add.h"
#include "tests/reference/reference_dropout.h"
#include "tests/reference/reference_residual.h"

enum { SITE = 6, FIRST_FEATURE = 5, MORE_FEATURES = 9, MORE_POSITIONS = 4, SEED = 12 };

struct arguments {
    int64_t tokens, width;
    const struct gg_dropout_rows *rows;
    struct tensor *x, *branch, *bias, *y;
    void *workspace;
    const float *mask;
};

static const float *bias_of(const struct arguments *a) {
    return a->bias != NULL ? a->bias->values : NULL;
}

static void residual_add(const void *argument) {
    const struct arguments *a = argument;
    gg_residual_add(a->x->stored, a->x->values, a->branch->values, bias_of(a), a->rows, a->y->values,
                    a->tokens, a->width, a->workspace);
}

static void residual_add_rows(const void *argument) {
    const struct arguments *a = argument;
    const enum gg_precision stored = a->x->stored;
    for (int64_t t = 0; t < a->tokens; t++)
        gg_residual_add_row(stored, gg_at(stored, a->x->values, t * a->width),
                            gg_at(stored, a->branch->values, t * a->width), bias_of(a),
                            a->mask != NULL ? a->mask + t * a->width : NULL,
                            gg_at(stored, a->y->values, t * a->width), a->width);
}

static void dropout_apply(const void *argument) {
    const struct arguments *a = argument;
    gg_dropout_apply(a->x->stored, a->x->values, a->rows, a->y->values, a->tokens, a->width, a->workspace);
}

/* Two sequences (the second may be shorter) of a model with more features and positions than are here. */
static struct gg_dropout_rows make_rows(double p, int64_t tokens, int64_t width) {
    static const uint64_t samples[] = {3, 1000003};
    const int64_t time = (tokens + 1) / 2;
    return (struct gg_dropout_rows){.dropout = gg_dropout_make(p, SEED),
                                    .site = SITE,
                                    .sample_ids = samples,
                                    .time = time,
                                    .context = time + MORE_POSITIONS,
                                    .whole_width = width + MORE_FEATURES,
                                    .first_feature = FIRST_FEATURE};
}

static double *reference_mask(const struct gg_dropout_rows *rows, int64_t tokens, int64_t width) {
    double *mask = case_doubles(tokens * width);
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++)
            mask[t * width + c] = reference_dropout_multiplier(
                SEED, SITE, rows->dropout.threshold,
                reference_dropout_feature(rows->sample_ids[t / rows->time], t % rows->time, FIRST_FEATURE + c,
                                          rows->context, rows->whole_width));
    return mask;
}

/* Sums of three, one of them scaled: four roundings. In a place of its own, then in x's; row by row, too. With
 * and without a bias, with and without dropout. */
static void check_residual(enum gg_precision stored, int64_t tokens, int64_t width) {
    for (int round = 0; round < 4; round++) {
        const bool with = round % 2 != 0, with_bias = round < 2;
        const struct gg_dropout_rows rows = make_rows(with ? 0.3 : 0, tokens, width);
        struct tensor x = tensor_make(stored, 1, tokens * width), y = tensor_make(stored, 2, tokens * width);
        struct tensor branch = tensor_make(stored, 3, tokens * width);
        struct tensor bias = tensor_make(GG_PRECISION_FP32, 4, width);
        const double *mask = with ? reference_mask(&rows, tokens, width) : NULL;
        float *row_mask = case_take((size_t)x.count * sizeof *row_mask, 0);
        for (int64_t i = 0; with && i < x.count; i++)
            row_mask[i] = (float)mask[i];
        if (!with_bias)
            memset(bias.exact, 0, (size_t)width * sizeof *bias.exact);
        struct arguments a = {tokens,
                              width,
                              &rows,
                              &x,
                              &branch,
                              with_bias ? &bias : NULL,
                              &y,
                              case_values(gg_residual_workspace_bytes(width, CASE_THREADS)),
                              with ? row_mask : NULL};
        double *expected = case_doubles(x.count), *sizes = case_doubles(x.count);
        reference_residual(x.exact, branch.exact, bias.exact, mask, tokens, width, expected);
        reference_residual(tensor_magnitudes(&x), tensor_magnitudes(&branch), tensor_magnitudes(&bias), mask,
                           tokens, width, sizes);
        run_with_threads(residual_add, &a, (struct tensor *const[]){&y}, 1);
        tensor_check("residual", &y, expected, sizes, 4);
        struct tensor by_row = tensor_make(stored, 2, tokens * width);
        a.y = &by_row;
        residual_add_rows(&a);
        assert_memory_equal(by_row.values, y.values, (size_t)y.count * gg_stored_bytes(stored));
        a.y = &x;
        run_with_threads(residual_add, &a, (struct tensor *const[]){&x}, 1);
        assert_memory_equal(x.values, y.values, (size_t)y.count * gg_stored_bytes(stored));
    }
}

static void residual(void **state) {
    (void)state;
    for_each_shape(check_residual);
}

/* The multiplier's own rounding, and the product's. */
static void check_dropout(enum gg_precision stored, int64_t tokens, int64_t width) {
    const struct gg_dropout_rows rows = make_rows(0.3, tokens, width);
    struct tensor x = tensor_make(stored, 1, tokens * width), y = tensor_make(stored, 2, tokens * width);
    struct arguments a = {.tokens = tokens,
                          .width = width,
                          .rows = &rows,
                          .x = &x,
                          .y = &y,
                          .workspace = case_values(gg_residual_workspace_bytes(width, CASE_THREADS))};
    double *expected = case_doubles(x.count);
    reference_multiply(x.exact, reference_mask(&rows, tokens, width), x.count, expected);
    run_with_threads(dropout_apply, &a, (struct tensor *const[]){&y}, 1);
    tensor_check("dropout", &y, expected, NULL, 2);
    a.y = &x;
    run_with_threads(dropout_apply, &a, (struct tensor *const[]){&x}, 1);
    assert_memory_equal(x.values, y.values, (size_t)y.count * gg_stored_bytes(stored));
}

static void dropout(void **state) {
    (void)state;
    for_each_shape(check_dropout);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(residual), cmocka_unit_test(dropout)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
