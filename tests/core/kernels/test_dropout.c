/* Dropout masks against their definition, element by element. */
#include "tests/kernel_case.h"

#include "core/kernels/dropout.h"
#include "tests/reference/reference_dropout.h"

enum { SEED = 5, SITE = 3 };

static void check_mask(double p, uint64_t first, int64_t count) {
    const struct gg_dropout dropout = gg_dropout_make(p, SEED);
    struct tensor mask = tensor_make(GG_PRECISION_FP32, 1, count);
    double *expected = case_doubles(count);
    for (int64_t i = 0; i < count; i++)
        expected[i] =
            reference_dropout_multiplier(SEED, SITE, (uint32_t)rint(65536 * p), first + (uint64_t)i);
    gg_dropout_mask(&dropout, SITE, first, count, mask.values);
    tensor_check("mask", &mask, expected, NULL, 1);
    case_end();
}

/* Any first element and count, within blocks of eight and over them; elements beyond 2^35, whose blocks no 32
 * bits count. */
static void masks(void **state) {
    (void)state;
    static const int64_t counts[] = {1, 3, 7, 8, 9, 15, 17, 63, 65, 127, 769};
    for (int c = 0; c < 11; c++)
        for (uint64_t first = 0; first < 17; first++) {
            check_mask(0.1, first, counts[c]);
            check_mask(0.5, ((uint64_t)1 << 35) + first, counts[c]);
        }
    check_mask(0, 0, 100);
    check_mask(0.1, 5, 1 << 20); /* so many that some draw the threshold itself */
    check_mask(1.0 / 65536, 0, 1000);
    check_mask(65535.0 / 65536, 4, 1000);
}

/* Another site, or another seed, has another mask. */
static void sites(void **state) {
    (void)state;
    enum { COUNT = 101 };
    float mask[3][COUNT];
    const struct gg_dropout dropout = gg_dropout_make(0.25, SEED), other = gg_dropout_make(0.25, SEED + 1);
    gg_dropout_mask(&dropout, SITE, 0, COUNT, mask[0]);
    gg_dropout_mask(&dropout, SITE + 1, 0, COUNT, mask[1]);
    gg_dropout_mask(&other, SITE, 0, COUNT, mask[2]);
    assert_memory_not_equal(mask[0], mask[1], sizeof mask[0]);
    assert_memory_not_equal(mask[0], mask[2], sizeof mask[0]);
}

/* The probability that 16 bits can draw, and what keeps the mean. */
static void probabilities(void **state) {
    (void)state;
    enum { DRAWN = 200000 };
    static float mask[DRAWN];
    assert_int_equal(gg_dropout_make(0, SEED).threshold, 0);
    assert_true(gg_dropout_make(0, SEED).scale == 1);
    assert_int_equal(gg_dropout_make(0.1, SEED).threshold, 6554);
    assert_true(gg_dropout_make(0.5, SEED).scale == 2);
    const struct gg_dropout dropout = gg_dropout_make(0.2, SEED);
    double dropped = 0, sum = 0;
    gg_dropout_mask(&dropout, SITE, 0, DRAWN, mask);
    for (int i = 0; i < DRAWN; i++) {
        dropped += mask[i] == 0;
        sum += (double)mask[i];
    }
    /* Five standard deviations of a binomial distribution: 5 sqrt(0.2 0.8 / n). */
    const double bound = 5 * sqrt(0.2 * 0.8 / DRAWN);
    assert_true(fabs(dropped / DRAWN - 0.2) < bound && fabs(sum / DRAWN - 1) < bound / 0.8);
}

/* A row's mask is that of its elements in the whole model. */
static void rows(void **state) {
    (void)state;
    enum { TIME = 5, CONTEXT = 9, WIDTH = 19, WHOLE = 64, FIRST = 13 };
    static const uint64_t samples[] = {7, (uint64_t)1 << 40};
    const struct gg_dropout_rows of = {.dropout = gg_dropout_make(0.4, SEED),
                                       .site = SITE,
                                       .sample_ids = samples,
                                       .time = TIME,
                                       .context = CONTEXT,
                                       .whole_width = WHOLE,
                                       .first_feature = FIRST};
    for (int64_t t = 0; t < 2 * TIME; t++) {
        struct tensor mask = tensor_make(GG_PRECISION_FP32, 1, WIDTH);
        double *expected = case_doubles(WIDTH);
        for (int64_t c = 0; c < WIDTH; c++)
            expected[c] = reference_dropout_multiplier(SEED, SITE, of.dropout.threshold,
                                                       reference_dropout_feature(samples[t / TIME], t % TIME,
                                                                                 FIRST + c, CONTEXT, WHOLE));
        gg_dropout_row(&of, t, WIDTH, mask.values);
        tensor_check("row", &mask, expected, NULL, 1);
        case_end();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(masks), cmocka_unit_test(sites),
                                       cmocka_unit_test(probabilities), cmocka_unit_test(rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
