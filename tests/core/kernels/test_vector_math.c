/* The exponential and the normal distribution against the library's in double. */
#include "tests/kernel_case.h"

#include "core/kernels/vector_math.h"

/* Its header's bound, over all of its range. */
static void exponential(void **state) {
    (void)state;
    double worst = 0, at = 0;
    for (double x = -87.2; x < 88.2; x += 0.00317) {
        const float f = (float)x;
        const double error = fabs((double)gg_expf(f) / exp((double)f) - 1);
        if (!(error <= worst)) {
            worst = error;
            at = x;
        }
    }
    if (!(worst < 2e-7))
        fail_msg("exp: largest relative error %.3g at %.9g, tolerance 2e-7", worst, at);
}

/* In a loop as kernels have it, which the compiler turns into vectors and a rest. */
static void in_vectors(void **state) {
    (void)state;
    enum { COUNT = 769 };
    struct tensor x = tensor_scaled(GG_PRECISION_FP32, 1, COUNT, 40),
                  y = tensor_make(GG_PRECISION_FP32, 2, COUNT);
    for (int i = 0; i < COUNT; i++)
        tensor_set(&x, i, fmax(-87, fmin(88, x.exact[i])));
    const float *from = x.values;
    float *to = y.values;
#pragma omp simd
    for (int i = 0; i < COUNT; i++)
        to[i] = gg_expf(from[i]);
    double *expected = case_doubles(COUNT);
    for (int i = 0; i < COUNT; i++)
        expected[i] = exp(x.exact[i]);
    tensor_check("exp", &y, expected, NULL, 4);
    case_end();
}

/* Its header's bounds, over all of its range. */
static void normal(void **state) {
    (void)state;
#ifdef __FMA__
    const double root = sqrt(2 * acos(-1)), bound = 1.2e-7;
#else
    const double root = sqrt(2 * acos(-1)), bound = 1.8e-7;
#endif
    for (double x = -13.1; x < 20; x += 0.000613) {
        const float v = (float)x;
        float density;
        const double phi = (double)gg_normalf(v, &density), exact = erfc(-(double)v / sqrt(2)) / 2;
        const double slope = exp(-(double)v * (double)v / 2) / root, square = (double)v * (double)v;
        if (!(fabs(phi - exact) < bound))
            fail_msg("Phi(%.9g) is off by %.3g", (double)v, phi - exact);
        if (!(fabs(phi / exact - 1) < 5e-7 + 4e-8 * square))
            fail_msg("Phi(%.9g) is off by %.3g of itself", (double)v, phi / exact - 1);
        if (x < 13 && !(fabs((double)density / slope - 1) < 3e-7 + 4e-8 * square))
            fail_msg("the density at %.9g is off by %.3g of itself", (double)v, (double)density / slope - 1);
    }
}

static void normal_ends(void **state) {
    (void)state;
    float density;
    assert_true(gg_normalf(0, &density) == 0.5f);
    assert_true(gg_normalf(INFINITY, &density) == 1 && density == 0 && gg_normalf(1e30f, &density) == 1);
    assert_true(gg_normalf(-INFINITY, &density) == 0 && gg_normalf(-13.3f, &density) == 0 && density == 0);
    assert_true(isnan(gg_normalf(NAN, &density)) && isnan(density));
}

static void ends(void **state) {
    (void)state;
    assert_true(gg_expf(0) == 1);
    assert_true(gg_expf(-87.31f) == 0 && gg_expf(-1000) == 0 && gg_expf(-INFINITY) == 0);
    assert_true(isfinite(gg_expf(1000)) && isfinite(gg_expf(INFINITY)) && gg_expf(1000) > 1e38f);
    assert_true(isnan(gg_expf(NAN)) && isnan(gg_expf(-NAN)));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exponential), cmocka_unit_test(in_vectors),
                                       cmocka_unit_test(ends), cmocka_unit_test(normal),
                                       cmocka_unit_test(normal_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
