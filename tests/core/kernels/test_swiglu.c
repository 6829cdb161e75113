/* SwiGLU and its gradients against their plain twins. */
#include "tests/kernel_case.h"

#include "core/kernels/swiglu.h"
#include "tests/reference/reference_swiglu.h"

struct arguments {
    int64_t tokens, width;
    struct tensor *gate, *up, *d_y, *d_gate, *d_up, *y; /* y of the backward pass may be NULL */
};

static void forward(const void *argument) {
    const struct arguments *a = argument;
    gg_swiglu(a->gate->stored, a->gate->values, a->up->values, a->y->values, a->tokens, a->width);
}

static void backward(const void *argument) {
    const struct arguments *a = argument;
    gg_swiglu_backward(a->gate->stored, a->gate->values, a->up->values, a->d_y->values, a->d_gate->values,
                       a->d_up->values, a->y != NULL ? a->y->values : NULL, a->tokens, a->width);
}

/* Numbers three deviations wide, and some at which the sigmoid is nearly 0 or 1. */
static struct tensor make_gate(enum gg_precision stored, int64_t count) {
    static const double special[] = {0, 20, -20, 80, -80, 1e6};
    struct tensor gate = tensor_scaled(stored, 1, count, 3);
    for (int64_t i = 0; i < 6 && i < count; i++)
        tensor_set(&gate, count - 1 - i, special[i]);
    return gate;
}

/* Of d_gate: the sigmoid s is off by a few of itself, and so is gate (1 - s), as large as the gate: the terms
 * count each by its size, though 1 - s may be small. */
static double *gate_sizes(const struct arguments *a) {
    double *sizes = case_doubles(a->gate->count);
    for (int64_t i = 0; i < a->gate->count; i++) {
        const double v = a->gate->exact[i], s = 1 / (1 + exp(-v));
        sizes[i] = fabs(a->d_y->exact[i] * a->up->exact[i]) * s * (1 + fabs(v));
    }
    return sizes;
}

/* Roundings: of the exponential 4, of 1 + exp(-v), the quotient, and up to four products. */
enum { UNITS = 10 };

static void check_swiglu(enum gg_precision stored, int64_t tokens, int64_t width) {
    const int64_t count = tokens * width;
    const size_t bytes = (size_t)count * gg_stored_bytes(stored);
    struct tensor gate = make_gate(stored, count), up = tensor_make(stored, 2, count);
    struct tensor d_y = tensor_make(stored, 3, count), y = tensor_make(stored, 4, count);
    struct tensor d_gate = tensor_make(stored, 5, count), d_up = tensor_make(stored, 6, count);
    struct tensor recomputed = tensor_make(stored, 7, count);
    struct arguments a = {tokens, width, &gate, &up, &d_y, &d_gate, &d_up, &y};
    double *expected = case_doubles(count), *d_gate_expected = case_doubles(count);
    double *d_up_expected = case_doubles(count);
    reference_swiglu(gate.exact, up.exact, count, expected);
    reference_swiglu_backward(gate.exact, up.exact, d_y.exact, count, d_gate_expected, d_up_expected);
    run_with_threads(forward, &a, (struct tensor *const[]){&y}, 1);
    tensor_check("swiglu", &y, expected, NULL, UNITS);
    a.y = &recomputed;
    run_with_threads(backward, &a, (struct tensor *const[]){&d_gate, &d_up, &recomputed}, 3);
    tensor_check("d_gate", &d_gate, d_gate_expected, gate_sizes(&a), UNITS);
    tensor_check("d_up", &d_up, d_up_expected, NULL, UNITS);
    assert_memory_equal(recomputed.values, y.values, bytes);
    a.y = NULL;
    a.d_gate = &d_y;
    run_with_threads(backward, &a, (struct tensor *const[]){&d_y, &d_up}, 2);
    assert_memory_equal(d_y.values, d_gate.values, bytes);
}

static void shapes(void **state) {
    (void)state;
    for_each_shape(check_swiglu);
    check_swiglu(GG_PRECISION_FP32, 5, 1024); /* whole shares of the threads */
    check_swiglu(GG_PRECISION_BF16, 7, 1000);
    case_end();
}

/* Far below 0 the sigmoid ends at the exponential's last number; what is not a number is not hidden. */
static void ends(void **state) {
    (void)state;
    const float gate[] = {-100, -1e30f, NAN, 1}, up[] = {1, 1, 1, NAN};
    float y[4], d_gate[4] = {1, 1, 1, 1}, d_up[4];
    gg_swiglu(GG_PRECISION_FP32, gate, up, y, 1, 4);
    assert_true(fabsf(y[0]) < 1e-35f && isnan(y[2]) && isnan(y[3]));
    gg_swiglu_backward(GG_PRECISION_FP32, gate, up, d_gate, d_gate, d_up, NULL, 1, 4);
    assert_true(fabsf(d_gate[0]) < 1e-35f && fabsf(d_up[0]) < 1e-35f);
    assert_true(isnan(d_gate[2]) && isnan(d_up[2]) && isnan(d_gate[3]) && !isnan(d_up[3]));
}

/* The twin's gradients are the slopes of its value. */
static void twin_agrees_with_itself(void **state) {
    (void)state;
    for (double v = -8; v < 8; v += 0.01) {
        const double up = 0.7, one = 1, step = 1e-5, gates[] = {v + step, v - step}, ups[] = {up, up};
        double y[2], d_gate, d_up, at_one;
        reference_swiglu(gates, ups, 2, y);
        reference_swiglu_backward(&v, &up, &one, 1, &d_gate, &d_up);
        assert_true(fabs((y[0] - y[1]) / (2 * step) - d_gate) < 1e-9);
        reference_swiglu(&v, &one, 1, &at_one);
        assert_true(fabs(at_one - d_up) < 1e-14);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(ends),
                                       cmocka_unit_test(twin_agrees_with_itself)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
