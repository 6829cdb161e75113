/* Activations in memory: rounding to bfloat16 against its plain twin, and loads and stores of any length. */
#include "tests/kernel_case.h"

/* The same number, or neither is one. */
static bool same(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Every bfloat16 is itself; of the float32 between two of them ties, what is beside a tie, and any others. */
static void rounding(void **state) {
    (void)state;
    static const uint32_t low[] = {0, 1, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
    for (uint32_t high = 0; high < 65536; high++) {
        const float whole = gg_bf16_value((gg_bf16)high);
        if (whole == whole)
            assert_int_equal(gg_bf16_round(whole), high);
        for (int i = 0; i < 10; i++) {
            const uint32_t any = (uint32_t)gg_random_bits(1, 2, 10 * high + (uint32_t)i) & 0xffff;
            const float value = float_of(high << 16 | (i < 8 ? low[i] : any));
            const double expected = reference_bf16((double)value),
                         got = (double)gg_bf16_value(gg_bf16_round(value));
            if (!same(got, expected) || (got == got && !signbit(got) != !signbit(value)))
                fail_msg("%a is rounded to %a, expected %a", (double)value, got, expected);
        }
    }
}

struct conversion {
    struct tensor *wide, *narrow;
};

static void narrow(const void *argument) {
    const struct conversion *c = argument;
    gg_bf16_from_floats(c->wide->values, c->narrow->values, c->wide->count);
}

static void widen(const void *argument) {
    const struct conversion *c = argument;
    gg_floats_from_bf16(c->narrow->values, c->wide->values, c->wide->count);
}

static const int64_t counts[] = {1, 3, 15, 16, 17, 63, 65, 127, 769, 5000};
enum { COUNTS = 10 };

static void conversions(void **state) {
    (void)state;
    for (int i = 0; i < COUNTS; i++) {
        struct tensor wide = tensor_make(GG_PRECISION_FP32, 1, counts[i]);
        struct tensor stored = tensor_make(GG_PRECISION_BF16, 2, counts[i]);
        const struct conversion c = {&wide, &stored};
        run_with_threads(narrow, &c, (struct tensor *const[]){&stored}, 1);
        for (int64_t k = 0; k < counts[i]; k++)
            assert_true(
                same((double)gg_load(stored.stored, stored.values, k), reference_bf16(wide.exact[k])));
        run_with_threads(widen, &c, (struct tensor *const[]){&wide}, 1);
        for (int64_t k = 0; k < counts[i]; k++)
            assert_true(((float *)wide.values)[k] == gg_load(stored.stored, stored.values, k));
        case_end();
    }
}

/* Sixteen at a time give what one at a time gives; a third are ties, and there are a number that is none and
 * one that becomes infinite. */
static void vectors(void **state) {
    (void)state;
    for (int precision = 0; precision < 2; precision++)
        for (int i = 0; i < COUNTS; i++) {
            const enum gg_precision stored = (enum gg_precision)precision;
            struct tensor from = tensor_make(GG_PRECISION_FP32, 1, counts[i]);
            struct tensor to = tensor_make(stored, 2, counts[i]);
            struct tensor back = tensor_make(GG_PRECISION_FP32, 3, counts[i]);
            float *values = from.values, *loaded = back.values;
            for (int64_t k = 0; k < counts[i]; k += 3)
                values[k] = float_of((uint32_t)gg_bf16_round(values[k]) << 16 | 0x8000u);
            values[counts[i] / 2] = NAN;
            values[counts[i] / 3] = 3.4e38f;
            gg_store_floats(stored, to.values, counts[i], values);
            gg_load_floats(stored, to.values, counts[i], loaded);
            for (int64_t k = 0; k < counts[i]; k++) {
                const double expected = (double)values[k];
                assert_true(same((double)gg_load(stored, to.values, k),
                                 stored == GG_PRECISION_BF16 ? reference_bf16(expected) : expected));
                assert_true(same((double)loaded[k], (double)gg_load(stored, to.values, k)));
            }
            case_end();
        }
}

/* Past the caches, too. */
static void streamed(void **state) {
    (void)state;
    _Alignas(64) float streamed[32];
    gg_floats16 values = {0};
    for (int i = 0; i < 16; i++)
        values[i] = (float)i - 3;
    memset(streamed, 0, sizeof streamed);
    gg_stream16(streamed + 16, values);
    gg_stream_end();
    for (int i = 0; i < 32; i++)
        assert_true(streamed[i] == (i < 16 ? 0 : (float)i - 19));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rounding), cmocka_unit_test(conversions),
                                       cmocka_unit_test(vectors), cmocka_unit_test(streamed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
