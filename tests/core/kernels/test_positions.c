/* Rotary embeddings and sinusoids against their plain twins. */
#include "tests/kernel_case.h"

#include "core/kernels/positions.h"
#include "tests/reference/reference_positions.h"

enum { SEQUENCES = 2, FIRST = 5 };

static void check_table(int64_t context, int64_t head_size, double theta) {
    const int64_t half = head_size / 2;
    struct tensor table = tensor_make(GG_PRECISION_FP32, 1, context * head_size);
    double *expected = case_doubles(table.count), *sizes = case_doubles(table.count);
    gg_rotary_table(table.values, context, head_size, theta);
    for (int64_t t = 0; t < context; t++)
        for (int64_t i = 0; i < half; i++) {
            const double angle = reference_rotary_angle(t, i, head_size, theta);
            expected[t * head_size + i] = cos(angle);
            expected[t * head_size + half + i] = sin(angle);
        }
    for (int64_t i = 0; i < table.count; i++)
        sizes[i] = 1;
    tensor_check("rotary table", &table, expected, sizes, 1);
    case_end();
}

static void tables(void **state) {
    (void)state;
    check_table(1, 2, 10000);
    check_table(33, 6, 10000);
    check_table(32768, 20, 500000); /* far angles, which float32 would not hold */
    check_table(300, 128, 1e6);
}

struct arguments {
    int64_t time, first, heads, head_size;
    bool back;
    struct tensor *x, *table, *y;
    const int32_t *starts; /* or NULL */
};

static void rotate(const void *argument) {
    const struct arguments *a = argument;
    gg_rotate(a->x->stored, a->x->values, a->table->values, a->y->values, SEQUENCES * a->time, a->time,
              a->first, a->starts, a->heads, a->head_size, a->back);
}

/* Each result is a sum of two products, whose cosine or sine is rounded: three roundings of each number. */
static void expect(const struct arguments *a, double theta, double *expected, double *sizes) {
    const int64_t half = a->head_size / 2;
    for (int64_t head = 0; head < SEQUENCES * a->time * a->heads; head++) {
        const double *x = a->x->exact + head * a->head_size;
        const int64_t token = head / a->heads, start = a->starts != NULL ? a->starts[token] : 0;
        const int64_t position = a->first + token % a->time - start;
        reference_rotate(x, position, a->head_size, theta, a->back ? -1 : 1, expected + head * a->head_size);
        for (int64_t i = 0; i < a->head_size; i++)
            sizes[head * a->head_size + i] = fabs(x[i % half]) + fabs(x[half + i % half]);
    }
}

/* Texts of seven tokens, side by side. */
static int32_t *text_starts(int64_t time) {
    int32_t *starts = case_take((size_t)(SEQUENCES * time) * sizeof *starts, 0);
    for (int64_t t = 0; t < SEQUENCES * time; t++)
        starts[t] = (int32_t)(t % time / 7 * 7);
    return starts;
}

static void check_rotate(enum gg_precision stored, int64_t time, int64_t heads, int64_t head_size, bool back,
                         bool texts) {
    const double theta = 10000;
    const int64_t count = SEQUENCES * time * heads * head_size;
    struct tensor x = tensor_make(stored, 1, count), y = tensor_make(stored, 2, count);
    struct tensor table = tensor_make(GG_PRECISION_FP32, 3, (FIRST + time) * head_size);
    struct arguments a = {
        time, FIRST, heads, head_size, back, &x, &table, &y, texts ? text_starts(time) : NULL};
    double *expected = case_doubles(count), *sizes = case_doubles(count);
    gg_rotary_table(table.values, FIRST + time, head_size, theta);
    expect(&a, theta, expected, sizes);
    run_with_threads(rotate, &a, (struct tensor *const[]){&y}, 1);
    tensor_check(back ? "turned back" : "turned", &y, expected, sizes, 3);
    a.y = &x;
    run_with_threads(rotate, &a, (struct tensor *const[]){&x}, 1);
    assert_memory_equal(x.values, y.values, tensor_bytes(&y));
    case_end();
}

static void rows(void **state) {
    (void)state;
    static const int64_t sizes[] = {2, 6, 20, 64, 128}, times[] = {1, 7, 33};
    for (int precision = 0; precision < 2; precision++)
        for (int s = 0; s < 5; s++)
            for (int t = 0; t < 3; t++)
                for (int64_t heads = 1; heads <= 3; heads += 2) {
                    check_rotate((enum gg_precision)precision, times[t], heads, sizes[s], false, heads == 1);
                    check_rotate((enum gg_precision)precision, times[t], heads, sizes[s], true, heads == 1);
                }
}

/* What they are for: the product of a query and a key depends on how far apart they stand, not on where. */
static void distance_alone_counts(void **state) {
    (void)state;
    enum { TIME = 40, SIZE = 20, APART = 11 };
    struct tensor x = tensor_make(GG_PRECISION_FP32, 1, (int64_t)SEQUENCES * TIME * SIZE),
                  table = tensor_make(GG_PRECISION_FP32, 2, (int64_t)TIME * SIZE);
    gg_rotary_table(table.values, TIME, SIZE, 10000);
    for (int64_t i = 0; i < x.count; i++) /* one query at all positions, and then one key */
        tensor_set(&x, i, x.exact[i / (TIME * SIZE) * TIME * SIZE + i % SIZE]);
    gg_rotate(GG_PRECISION_FP32, x.values, table.values, x.values, SEQUENCES * TIME, TIME, 0, NULL, 1, SIZE,
              false);
    const double *turned = tensor_results(&x);
    double first = 0;
    for (int64_t t = APART; t < TIME; t++) {
        double product = 0;
        for (int64_t i = 0; i < SIZE; i++)
            product += turned[t * SIZE + i] * turned[(TIME + t - APART) * SIZE + i];
        first = t == APART ? product : first;
        assert_true(fabs(product - first) < ldexp(SIZE * 8, -24));
    }
    case_end();
}

static void check_sinusoids(int64_t context, int64_t whole, int64_t first, int64_t width) {
    struct tensor rows_of = tensor_make(GG_PRECISION_FP32, 1, context * width);
    double *expected = case_doubles(rows_of.count), *sizes = case_doubles(rows_of.count);
    gg_sinusoids(rows_of.values, context, whole, first, width);
    for (int64_t i = 0; i < rows_of.count; i++) {
        expected[i] = reference_sinusoid(i / width, first + i % width, whole);
        sizes[i] = 1;
    }
    tensor_check("sinusoids", &rows_of, expected, sizes, 1);
    case_end();
}

static void sinusoids(void **state) {
    (void)state;
    check_sinusoids(1, 2, 0, 2);
    check_sinusoids(300, 64, 0, 64);
    check_sinusoids(33, 63, 0, 63);
    check_sinusoids(20000, 10, 5, 5); /* a shard that begins with a cosine */
    check_sinusoids(7, 768, 384, 384);
}

/* At position 0, and at 1 where the frequency is 1: from the definitions alone. */
static void known_values(void **state) {
    (void)state;
    float table[2 * 4], waves[2 * 4];
    gg_rotary_table(table, 2, 4, 100);
    gg_sinusoids(waves, 2, 4, 0, 4);
    const double angles[] = {1, 0.1}, wave_angles[] = {1, 0.01};
    for (int i = 0; i < 2; i++) {
        assert_true(table[i] == 1 && table[2 + i] == 0 && waves[2 * i] == 0 && waves[2 * i + 1] == 1);
        assert_true(table[4 + i] == (float)cos(angles[i]) && table[6 + i] == (float)sin(angles[i]));
        assert_true(waves[4 + 2 * i] == (float)sin(wave_angles[i]) &&
                    waves[4 + 2 * i + 1] == (float)cos(wave_angles[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables), cmocka_unit_test(rows),
                                       cmocka_unit_test(distance_alone_counts), cmocka_unit_test(sinusoids),
                                       cmocka_unit_test(known_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
