#include "tests/check.h"

#include "core/base/random.h"

/* The known-answer vectors published with Random123 (kat_vectors, philox4x32 10). */
static void philox_known_answers(void **state) {
    (void)state;
    uint32_t out[4];
    gg_random_block(0, 0, 0, out);
    const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    assert_memory_equal(out, zeros, sizeof out);
    gg_random_block(UINT64_MAX, UINT64_MAX, UINT64_MAX, out);
    const uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    assert_memory_equal(out, ones, sizeof out);
    /* counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0 */
    gg_random_block(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u, out);
    const uint32_t pi[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    assert_memory_equal(out, pi, sizeof out);
}

static void moments(void **state) {
    (void)state;
    const int count = 200000;
    double uniform = 0, mean = 0, square = 0, fourth = 0;
    for (int i = 0; i < count; i++) {
        uniform += gg_random_uniform(7, GG_STREAM(GG_STREAM_ORDER, 0), (uint64_t)i);
        const double z = gg_random_normal(7, GG_STREAM(GG_STREAM_INIT, 3), (uint64_t)i);
        mean += z;
        square += z * z;
        fourth += z * z * z * z;
    }
    assert_true(fabs(uniform / count - 0.5) < 0.005);
    assert_true(fabs(mean / count) < 0.01);
    assert_true(fabs(square / count - 1) < 0.02);
    assert_true(fabs(fourth / count - 3) < 0.1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(philox_known_answers), cmocka_unit_test(moments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
