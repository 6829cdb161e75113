/* Zeroing by several threads. (That kernels give the same bits with any number of threads is seen in their
 * own tests.) */
#include "tests/check.h"

#include "core/base/arena.h"
#include "core/base/memory.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 5 };

/* All of it and no more, for any length and start. */
static void zeroes(void **state) {
    (void)state;
    const size_t lengths[] = {0, 1, 63, 4095, 4096, 4097, 100001};
    unsigned char *memory = malloc(100200);
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int i = 0; i < 7; i++) {
            omp_set_num_threads(threads);
            memset(memory, 0xAA, 100200);
            gg_zero(memory + 100 + i, lengths[i]);
            for (size_t at = 0; at < 100200; at++)
                if ((memory[at] == 0) != (at >= 100 + (size_t)i && at < 100 + (size_t)i + lengths[i]))
                    fail_msg("%d threads, %zu bytes: byte %zu is %d", threads, lengths[i], at, memory[at]);
        }
    free(memory);
    /* Pieces of an arena. */
    struct gg_arena arena = {0};
    gg_arena_take(&arena, 10000);
    gg_arena_floats(&arena, 70000);
    CHECK_OK(gg_arena_allocate(&arena, "a test"));
    const char *first = gg_arena_take(&arena, 10000);
    const float *second = gg_arena_floats(&arena, 70000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(first[i], 0);
    for (int i = 0; i < 70000; i++)
        assert_true(second[i] == 0);
    gg_arena_free(&arena);
    omp_set_num_threads(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(zeroes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
