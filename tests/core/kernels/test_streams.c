/* Streams through memory: what they compute, on any number of threads, and the limit that their rates are. */
#include "tests/check.h"

#include "core/kernels/streams.h"
#include "jobs/bench/bench_memory.h"
#include "jobs/launch/largest_cache.h"

#include <omp.h>
#include <stdlib.h>

enum { MOST = 1029 };
static _Alignas(64) float a[MOST + 16], b[MOST], c[MOST];

static void fill(void) {
    for (int i = 0; i < MOST; i++) {
        a[i] = (float)(i % 13) - 6;
        b[i] = (float)(i % 7);
        c[i] = (float)(i % 5) - 2;
    }
    for (int i = MOST; i < MOST + 16; i++)
        a[i] = 77;
}

/* Numbers that floats hold exactly: sums are the same in any order. */
static void check_values(int64_t count) {
    float sum = 0;
    fill();
    for (int64_t i = 0; i < count; i++)
        sum += a[i];
    assert_true(gg_stream_read(a, count) == sum);
    gg_stream_update(a, 3, count);
    for (int64_t i = 0; i < count; i++)
        assert_true(a[i] == 3 * ((float)(i % 13) - 6));
    gg_stream_triad(a, b, c, 0.5F, count);
    for (int64_t i = 0; i < count; i++)
        assert_true(a[i] == b[i] + 0.5F * c[i]);
    assert_true(count == MOST || a[count] == (float)(count % 13) - 6);
    gg_stream_write(a, 9, count);
    for (int64_t i = 0; i < count; i++)
        assert_true(a[i] == 9);
    assert_true(count == MOST || a[count] == (float)(count % 13) - 6);
    assert_true(a[MOST] == 77);
}

static void values(void **state) {
    (void)state;
    static const int64_t counts[] = {0, 1, 15, 16, 17, 64, 100, 1000, MOST};
    const int before = omp_get_max_threads();
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            check_values(counts[i]);
    }
    omp_set_num_threads(before);
}

static void check_limit(double read, double written, double expected) {
    const struct gg_bench_memory memory = {.rates = {10, 20, 16, 25}};
    const struct gg_bench_traffic traffic = {read, written, read};
    const double least = gg_bench_memory_least_seconds(&memory, &traffic);
    printf("%g read, %g written: %g s\n", read, written, least);
    assert_true(fabs(least - expected) < 1e-12);
}

static void limit_is_the_longest(void **state) {
    (void)state;
    check_limit(100, 0, 10);   /* reading at 10 */
    check_limit(0, 100, 5);    /* writing at 20 */
    check_limit(100, 50, 10);  /* reading hides writing */
    check_limit(70, 100, 7);   /* reading, as all at 25 would be 6.8 */
    check_limit(60, 100, 6.4); /* all at 25, the best of the four */
}

static void cache_is_found(void **state) {
    (void)state;
    const int64_t bytes = gg_largest_cache_bytes();
    printf("last caches: %.1f MB\n", 1e-6 * (double)bytes);
    assert_true(bytes >= 256 << 10);
    assert_true(bytes < (int64_t)64 << 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(limit_is_the_longest),
                                       cmocka_unit_test(cache_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
