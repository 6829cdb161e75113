/* Rounding to the types of GGUF's tensors: to the nearest, each half to itself, and nothing becomes infinite. That Q8_0
 * is ggml's own is seen in tests/jobs/use/check_gguf.py. */
#include "tests/check.h"

#include "io/huggingface/gguf_values.h"
#include "io/huggingface/half.h"

#include <string.h>

static uint16_t half(float value) {
    uint16_t rounded;
    CHECK_OK(gg_gguf_round(GG_GGUF_F16, &value, 1, &rounded));
    return rounded;
}

/* Each half, what is halfway to the next one (which goes to the even one), and what is just beside that. */
static void halves(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 0x7bff; bits++) {
        const float here = gg_half_value((uint16_t)bits), next = gg_half_value((uint16_t)(bits + 1));
        const float middle = here + (next - here) / 2;
        const uint32_t even = bits % 2 == 0 ? bits : bits + 1;
        for (int negative = 0; negative < 2; negative++) {
            const float sign = negative ? -1.0f : 1.0f;
            const uint32_t sign_bit = negative ? 0x8000u : 0;
            if (half(sign * here) != (bits | sign_bit) || half(sign * middle) != (even | sign_bit) ||
                half(sign * nextafterf(middle, 0)) != (bits | sign_bit) ||
                half(sign * nextafterf(middle, INFINITY)) != ((bits + 1) | sign_bit))
                fail_msg("around half 0x%04x, %g", bits | sign_bit, (double)(sign * here));
        }
    }
    assert_int_equal(half(65504), 0x7bff);
    assert_int_equal(half(nextafterf(65520, 0)), 0x7bff);
    assert_int_equal(half(INFINITY), 0x7c00);
    assert_int_equal(half(-INFINITY), 0xfc00);
    assert_true(isnan(gg_half_value(half(NAN))));
}

static void what_a_type_cannot_hold(void **state) {
    (void)state;
    unsigned char out[4 * GG_GGUF_BLOCK];
    float values[GG_GGUF_BLOCK] = {65520};
    CHECK_FAILS(gg_gguf_round(GG_GGUF_F16, values, 1, out), GG_BAD_DATA, "65520 is no number that f16");
    values[7] = -1e7f;
    CHECK_FAILS(gg_gguf_round(GG_GGUF_Q8_0, values, GG_GGUF_BLOCK, out), GG_BAD_DATA, "q8_0");
    values[7] = NAN;
    CHECK_FAILS(gg_gguf_round(GG_GGUF_Q8_0, values, GG_GGUF_BLOCK, out), GG_BAD_DATA, "nan is no number");
    values[7] = INFINITY;
    CHECK_FAILS(gg_gguf_round(GG_GGUF_Q8_0, values, GG_GGUF_BLOCK, out), GG_BAD_DATA, "inf is no number");
    CHECK_OK(gg_gguf_round(GG_GGUF_BF16, values, GG_GGUF_BLOCK, out));
    CHECK_OK(gg_gguf_round(GG_GGUF_F32, values, GG_GGUF_BLOCK, out));
    assert_memory_equal(out, values, sizeof values);
}

/* A block of zeros, and one whose largest numbers come back as they are. */
static void blocks(void **state) {
    (void)state;
    float values[2 * GG_GGUF_BLOCK] = {0};
    signed char out[2 * (GG_GGUF_BLOCK + 2)];
    for (int i = 0; i < GG_GGUF_BLOCK; i++)
        values[GG_GGUF_BLOCK + i] = (float)(8 * i - 127);
    assert_int_equal(gg_gguf_bytes(GG_GGUF_Q8_0, 2 * GG_GGUF_BLOCK), sizeof out);
    CHECK_OK(gg_gguf_round(GG_GGUF_Q8_0, values, 2 * GG_GGUF_BLOCK, out));
    for (int i = 0; i < GG_GGUF_BLOCK + 2; i++)
        assert_int_equal(out[i], 0);
    assert_int_equal(out[GG_GGUF_BLOCK + 2], 0x00);
    assert_int_equal(out[GG_GGUF_BLOCK + 3], 0x3c); /* d = 1 */
    for (int i = 0; i < GG_GGUF_BLOCK; i++)
        assert_int_equal(out[GG_GGUF_BLOCK + 4 + i], 8 * i - 127);
    values[1] = 127;
    values[2] = 2.5f;
    values[3] = -4.5f;
    CHECK_OK(gg_gguf_round(GG_GGUF_Q8_0, values, GG_GGUF_BLOCK, out));
    assert_int_equal(out[2 + 2], 3); /* ties go away from zero */
    assert_int_equal(out[2 + 3], -5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves),
        cmocka_unit_test(what_a_type_cannot_hold),
        cmocka_unit_test(blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
