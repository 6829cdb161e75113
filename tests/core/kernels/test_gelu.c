/* GELU and its gradient against their plain twins. */
#include "tests/kernel_case.h"

#include "core/kernels/activation.h"
#include "tests/reference/reference_gelu.h"

struct arguments {
    int64_t tokens, width;
    struct tensor *u, *bias, *d_y, *d_u, *y;
};

static void gelu(const void *argument) {
    const struct arguments *a = argument;
    gg_activation_apply(GG_ACTIVATION_GELU_TANH, a->u->stored, a->u->values, a->bias->values, a->y->values,
                        a->tokens, a->width);
}

static void gelu_backward(const void *argument) {
    const struct arguments *a = argument;
    gg_activation_backward(GG_ACTIVATION_GELU_TANH, a->u->stored, a->u->values, a->bias->values,
                           a->d_y->values, a->d_u->values, a->y != NULL ? a->y->values : NULL, a->tokens,
                           a->width);
}

/* Numbers three deviations wide, and some at which the exponential ends. */
static struct tensor make_input(enum gg_precision stored, int64_t count) {
    static const double special[] = {0, 5.25, -5.25, 10, -10, 11, -11, 100, -100, 1e6, -1e6};
    struct tensor u = tensor_scaled(stored, 1, count, 3);
    for (int64_t i = 0; i < 11 && i < count; i++)
        tensor_set(&u, count - 1 - i, special[i]);
    return u;
}

/* The sum v is off by a rounding of |u| + |bias|, the gate by a few of itself: eight in all of |u| + |bias|.
 */
static double *value_sizes(const struct tensor *u, const struct tensor *bias) {
    double *sizes = case_doubles(u->count);
    for (int64_t i = 0; i < u->count; i++)
        sizes[i] = fabs(u->exact[i]) + fabs(bias->exact[i % bias->count]);
    return sizes;
}

/* The slope has the term v g (1 - g) 2 z'(v), and 1 - g is off by a rounding of 1, however small it is; the
 * factor beside it counts only as long as float32 has a gate below 1, |v| < 7. */
static double *slope_sizes(const struct tensor *u, const struct tensor *bias, const struct tensor *d_y) {
    double *sizes = case_doubles(u->count);
    for (int64_t i = 0; i < u->count; i++) {
        const double v = fmin(7, fabs(u->exact[i]) + fabs(bias->exact[i % bias->count]));
        sizes[i] = fabs(d_y->exact[i]) * (1 + v * 0.8 * (1 + 3 * 0.044715 * v * v));
    }
    return sizes;
}

static void check_gelu(enum gg_precision stored, int64_t tokens, int64_t width) {
    const int64_t count = tokens * width;
    const size_t bytes = (size_t)count * gg_stored_bytes(stored);
    struct tensor u = make_input(stored, count), y = tensor_make(stored, 2, count);
    struct tensor bias = tensor_make(GG_PRECISION_FP32, 3, width), d_y = tensor_make(stored, 4, count);
    struct tensor d_u = tensor_make(stored, 5, count), recomputed = tensor_make(stored, 6, count);
    struct arguments a = {tokens, width, &u, &bias, &d_y, &d_u, &y};
    double *expected = case_doubles(count), *d_expected = case_doubles(count);
    reference_gelu(u.exact, bias.exact, tokens, width, expected);
    reference_gelu_backward(u.exact, bias.exact, d_y.exact, tokens, width, d_expected);
    run_with_threads(gelu, &a, (struct tensor *const[]){&y}, 1);
    tensor_check("gelu", &y, expected, value_sizes(&u, &bias), 8);
    a.y = &recomputed;
    run_with_threads(gelu_backward, &a, (struct tensor *const[]){&d_u, &recomputed}, 2);
    tensor_check("gelu's gradient", &d_u, d_expected, slope_sizes(&u, &bias, &d_y), 8);
    assert_memory_equal(recomputed.values, y.values, bytes);
    a.y = NULL;
    a.d_u = &d_y;
    run_with_threads(gelu_backward, &a, (struct tensor *const[]){&d_y}, 1);
    assert_memory_equal(d_y.values, d_u.values, bytes);
}

static void shapes(void **state) {
    (void)state;
    for_each_shape(check_gelu);
}

/* The twin's slope is the slope of its value. */
static void twin_agrees_with_itself(void **state) {
    (void)state;
    for (double v = -8; v < 8; v += 0.01) {
        const double slope = (reference_gelu_value(v + 1e-5) - reference_gelu_value(v - 1e-5)) / 2e-5;
        assert_true(fabs(slope - reference_gelu_slope(v)) < 1e-9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(twin_agrees_with_itself)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
