/* Denormals are zero in every thread, and stay so. */
#include "core/base/denormals.h"
#include "tests/check.h"

#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { THREADS = 5 };

/* Whether this thread makes a denormal of two normal numbers, or something of a denormal. */
static bool has_denormals(void) {
    volatile float tiny = 1e-30f, denormal = 1e-40f, large = 1e10f;
    volatile double small = 1e-200;
    volatile float product = tiny * 1e-10f, grown = denormal * large;
    volatile double square = small * (small * 1e85);
    return product != 0 || grown != 0 || square != 0;
}

static int threads_with_denormals(int threads) {
    int count = 0, seen = 0;
#pragma omp parallel num_threads(threads) reduction(+ : count, seen)
    {
        count += has_denormals();
        seen++;
    }
    assert_int_equal(seen, threads);
    return count;
}

static void *in_thread(void *argument) {
    *(bool *)argument = has_denormals();
    return NULL;
}

static bool new_thread_has_denormals(void) {
    pthread_t thread;
    bool has = true;
    assert_int_equal(pthread_create(&thread, NULL, in_thread, &has), 0);
    pthread_join(thread, NULL);
    return has;
}

static void flushed_in_all_threads(void **state) {
    (void)state;
    omp_set_num_threads(THREADS);
    /* The team exists before, and its threads know denormals. */
    assert_int_equal(threads_with_denormals(THREADS), THREADS);
    assert_true(new_thread_has_denormals());
    if (!gg_denormals_flush())
        skip();
    assert_false(has_denormals());
    for (int i = 0; i < 3; i++)
        assert_int_equal(threads_with_denormals(THREADS), 0);
    assert_int_equal(threads_with_denormals(THREADS + 3), 0); /* some made after it */
    assert_false(new_thread_has_denormals());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flushed_in_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
