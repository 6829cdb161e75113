/* Texts in rows: each once, none beyond its row, and few rows. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/data/packing.h"

#include <stdlib.h>
#include <string.h>

static int32_t *lengths_of(int64_t count, int32_t most, uint64_t seed) {
    int32_t *lengths = gg_malloc(((size_t)count + 1) * sizeof *lengths);
    for (int64_t i = 0; i < count; i++)
        lengths[i] = 1 + (int32_t)(gg_random_bits(seed, 1, (uint64_t)i) % (uint64_t)most);
    return lengths;
}

/* Returns how many rows there are. */
static int64_t check(const int32_t *lengths, int64_t count, int32_t row_length, uint64_t seed) {
    struct gg_packing packing;
    gg_packing_make(lengths, count, row_length, seed, &packing);
    bool *seen = gg_calloc((size_t)count + 1, sizeof *seen);
    assert_int_equal(packing.first[0], 0);
    assert_int_equal(packing.first[packing.rows], count);
    for (int64_t row = 0; row < packing.rows; row++) {
        int64_t tokens = 0;
        assert_true(packing.first[row] < packing.first[row + 1]);
        for (int64_t i = packing.first[row]; i < packing.first[row + 1]; i++) {
            assert_false(seen[packing.texts[i]]);
            seen[packing.texts[i]] = true;
            tokens += lengths[packing.texts[i]];
        }
        assert_true(tokens <= row_length);
    }
    const int64_t rows = packing.rows;
    gg_packing_free(&packing);
    free(seen);
    return rows;
}

static void every_text_once(void **state) {
    (void)state;
    static const int32_t row_lengths[] = {1, 2, 63, 64, 65, 200, 1025};
    for (int r = 0; r < 7; r++)
        for (int64_t count = 1; count <= 3000; count = count * 7 + 1) {
            int32_t *lengths = lengths_of(count, row_lengths[r], (uint64_t)count);
            check(lengths, count, row_lengths[r], 9);
            free(lengths);
        }
}

/* Best fit, longest first, needs at most 11/9 of the least number of rows and one more; for such lengths it comes
 * within a row or two of the sum. */
static void few_rows(void **state) {
    (void)state;
    enum { COUNT = 20000, ROW = 513 };
    int32_t *lengths = lengths_of(COUNT, 200, 4);
    int64_t tokens = 0;
    for (int i = 0; i < COUNT; i++)
        tokens += lengths[i];
    assert_true(check(lengths, COUNT, ROW, 1) <= tokens / ROW + 3);
    free(lengths);
}

/* The same lengths and seed give the same rows; another seed puts other texts together. */
static void drawn_from_the_seed(void **state) {
    (void)state;
    enum { COUNT = 500 };
    int32_t *lengths = lengths_of(COUNT, 50, 2);
    struct gg_packing a, b, c;
    gg_packing_make(lengths, COUNT, 100, 5, &a);
    gg_packing_make(lengths, COUNT, 100, 5, &b);
    gg_packing_make(lengths, COUNT, 100, 6, &c);
    assert_memory_equal(a.texts, b.texts, COUNT * sizeof *a.texts);
    assert_memory_not_equal(a.texts, c.texts, COUNT * sizeof *a.texts);
    gg_packing_free(&a);
    gg_packing_free(&b);
    gg_packing_free(&c);
    free(lengths);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_text_once), cmocka_unit_test(few_rows),
                                       cmocka_unit_test(drawn_from_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
