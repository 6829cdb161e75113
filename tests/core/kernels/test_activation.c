/* Activations and their gradients against their plain twins, with and without a bias. */
#include "tests/kernel_case.h"

#include "core/kernels/activation.h"
#include "tests/reference/reference_activation.h"

enum { KINDS = 3 };
static const char *const names[KINDS] = {
    [GG_ACTIVATION_GELU_TANH] = "gelu_tanh", [GG_ACTIVATION_GELU] = "gelu", [GG_ACTIVATION_RELU] = "relu"};

struct arguments {
    enum gg_activation kind;
    int64_t tokens, width;
    struct tensor *u, *bias, *d_y, *d_u, *y; /* bias may be NULL, and y of the backward pass */
};

static void apply(const void *argument) {
    const struct arguments *a = argument;
    gg_activation_apply(a->kind, a->u->stored, a->u->values, a->bias != NULL ? a->bias->values : NULL,
                        a->y->values, a->tokens, a->width);
}

static void backward(const void *argument) {
    const struct arguments *a = argument;
    gg_activation_backward(a->kind, a->u->stored, a->u->values, a->bias != NULL ? a->bias->values : NULL,
                           a->d_y->values, a->d_u->values, a->y != NULL ? a->y->values : NULL, a->tokens,
                           a->width);
}

/* Numbers three deviations wide, and some at which the exponential ends. */
static struct tensor make_input(enum gg_precision stored, int64_t count) {
    static const double special[] = {0, 5.25, -5.25, 10, -10, 11, -11, 14, -14, 100, -100, 1e6, -1e6};
    enum { SPECIAL = sizeof special / sizeof *special };
    struct tensor u = tensor_scaled(stored, 1, count, 3);
    for (int64_t i = 0; i < SPECIAL && i < count; i++)
        tensor_set(&u, count - 1 - i, special[i]);
    return u;
}

static double bias_of(const struct tensor *bias, int64_t i) {
    return bias != NULL ? bias->exact[i % bias->count] : 0;
}

/* The sum v is off by a rounding of |u| + |bias|, the gate by a few of itself, Phi by a few of 1: eight in all
 * of |u| + |bias|. ReLU has the sum alone. */
static double *value_sizes(const struct tensor *u, const struct tensor *bias) {
    double *sizes = case_doubles(u->count);
    for (int64_t i = 0; i < u->count; i++)
        sizes[i] = fabs(u->exact[i]) + fabs(bias_of(bias, i));
    return sizes;
}

/* The slope of the tanh approximation has the term v g (1 - g) 2 z'(v), and 1 - g is off by a rounding of 1,
 * however small it is; the factor beside it counts only as long as float32 has a gate below 1, |v| < 7. GELU's
 * slope changes by less than 1 for each 1 of v, as long as v is below 7. ReLU's is exact. */
static double *slope_sizes(enum gg_activation kind, const struct tensor *u, const struct tensor *bias,
                           const struct tensor *d_y) {
    double *sizes = case_doubles(u->count);
    for (int64_t i = 0; i < u->count; i++) {
        const double v = fmin(7, fabs(u->exact[i]) + fabs(bias_of(bias, i)));
        const double slope[KINDS] = {
            [GG_ACTIVATION_GELU_TANH] = 1 + v * 0.8 * (1 + 3 * 0.044715 * v * v),
            [GG_ACTIVATION_GELU] = 1 + v,
            [GG_ACTIVATION_RELU] = 0,
        };
        sizes[i] = fabs(d_y->exact[i]) * slope[kind];
    }
    return sizes;
}

static void check_kind(enum gg_activation kind, enum gg_precision stored, int64_t tokens, int64_t width,
                       bool biased) {
    const int64_t count = tokens * width;
    const size_t bytes = (size_t)count * gg_stored_bytes(stored);
    struct tensor u = make_input(stored, count), y = tensor_make(stored, 2, count);
    struct tensor bias = tensor_make(GG_PRECISION_FP32, 3, width), d_y = tensor_make(stored, 4, count);
    struct tensor d_u = tensor_make(stored, 5, count), recomputed = tensor_make(stored, 6, count);
    struct arguments a = {kind, tokens, width, &u, biased ? &bias : NULL, &d_y, &d_u, &y};
    const double *added = biased ? bias.exact : NULL;
    double *expected = case_doubles(count), *d_expected = case_doubles(count);
    char name[48], gradient[64];
    snprintf(name, sizeof name, "%s%s", names[kind], biased ? " with bias" : "");
    snprintf(gradient, sizeof gradient, "%s's gradient", name);
    reference_activation(kind, u.exact, added, tokens, width, expected);
    reference_activation_backward(kind, u.exact, added, d_y.exact, tokens, width, d_expected);
    run_with_threads(apply, &a, (struct tensor *const[]){&y}, 1);
    tensor_check(name, &y, expected, value_sizes(&u, a.bias), kind == GG_ACTIVATION_RELU ? 1 : 8);
    a.y = &recomputed;
    run_with_threads(backward, &a, (struct tensor *const[]){&d_u, &recomputed}, 2);
    tensor_check(gradient, &d_u, d_expected, slope_sizes(kind, &u, a.bias, &d_y), 8);
    assert_memory_equal(recomputed.values, y.values, bytes);
    a.y = NULL;
    a.d_u = &d_y;
    run_with_threads(backward, &a, (struct tensor *const[]){&d_y}, 1);
    assert_memory_equal(d_y.values, d_u.values, bytes);
}

static void check_activation(enum gg_precision stored, int64_t tokens, int64_t width) {
    for (int kind = 0; kind < KINDS; kind++)
        for (int biased = 0; biased < 2; biased++) {
            check_kind((enum gg_activation)kind, stored, tokens, width, biased);
            case_end();
        }
}

static void shapes(void **state) {
    (void)state;
    for_each_shape(check_activation);
}

/* An element that is not a number is not hidden, forward or backward. */
static void not_a_number(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        float u[3] = {1, NAN, -1}, d_u[3] = {1, 1, 1}, y[3];
        gg_activation_apply((enum gg_activation)kind, GG_PRECISION_FP32, u, NULL, y, 1, 3);
        assert_true(!isnan(y[0]) && isnan(y[1]) && !isnan(y[2]));
        gg_activation_backward((enum gg_activation)kind, GG_PRECISION_FP32, u, NULL, d_u, d_u, NULL, 1, 3);
        assert_true(!isnan(d_u[0]) && isnan(d_u[1]) && !isnan(d_u[2]));
    }
}

/* The twin's slope is the slope of its value. */
static void twin_agrees_with_itself(void **state) {
    (void)state;
    for (int i = 0; i < KINDS; i++)
        for (double v = -8.005; v < 8; v += 0.01) {
            const enum gg_activation kind = (enum gg_activation)i;
            const double above = reference_activation_value(kind, v + 1e-5),
                         below = reference_activation_value(kind, v - 1e-5);
            assert_true(fabs((above - below) / 2e-5 - reference_activation_slope(kind, v)) < 1e-9);
        }
}

/* The exact GELU of some numbers, by the normal distribution of tables. */
static void known_values(void **state) {
    (void)state;
    static const double known[][2] = {
        {-3, 0.00134989803163009}, {-1, 0.158655253931457}, {0.5, 0.691462461274013}, {2, 0.977249868051821}};
    for (int i = 0; i < 4; i++) {
        const double value = reference_activation_value(GG_ACTIVATION_GELU, known[i][0]);
        assert_true(fabs(value - known[i][0] * known[i][1]) < 1e-14);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(not_a_number),
                                       cmocka_unit_test(twin_agrees_with_itself),
                                       cmocka_unit_test(known_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
