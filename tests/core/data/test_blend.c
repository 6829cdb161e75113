/* The order of a blend: of any first n samples each corpus has its share to less than one sample, its own samples come
 * in their order without a gap, and a look at any number tells what a walk from 0 would. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/data/blend.h"

#include <string.h>

static double draw(uint64_t index) {
    return gg_random_uniform(7, 1, index);
}

/* Weights of the kind, each of them one that a blend takes. */
static double make_weights(int kind, uint64_t seed, int count, double *weights) {
    double sum = 0;
    for (int c = 0; c < count; c++) {
        const double u = draw(seed * 64 + (uint64_t)c);
        switch (kind) {
        case 0: /* alike */
            weights[c] = 1;
            break;
        case 1: /* of any sizes */
            weights[c] = 0.01 + u;
            break;
        case 2: /* far apart */
            weights[c] = pow(10, -3 * u);
            break;
        default: /* one that has nearly all, and rare ones */
            weights[c] = c == count / 2 ? 100 : 0.01 + 0.01 * u;
        }
        sum += weights[c];
    }
    return sum;
}

/* Walks over numbers from `first` on; counts[c] is of those before. */
static void walk(gg_blend *blend, const double *weights, double sum, int count, uint64_t first,
                 uint64_t samples) {
    uint64_t counts[GG_BLEND_CORPORA];
    gg_blend_count(blend, first, counts);
    for (uint64_t n = first; n < first + samples; n++) {
        int corpus;
        uint64_t number;
        gg_blend_locate(blend, n, &corpus, &number);
        assert_true(corpus >= 0 && corpus < count);
        if (number != counts[corpus])
            fail_msg("sample %llu is number %llu of corpus %d, not %llu", (unsigned long long)n,
                     (unsigned long long)number, corpus, (unsigned long long)counts[corpus]);
        counts[corpus]++;
        uint64_t all = 0;
        for (int c = 0; c < count; c++) {
            /* Shares are rounded to 2^-40, the largest by all of the others' roundings. */
            const double share = (double)(n + 1) * (weights[c] / sum), rounding = (double)(n + 1) * 0x1p-35;
            if (!(fabs((double)counts[c] - share) < 1 + rounding))
                fail_msg("of %llu samples corpus %d of %d has %llu, and its share is %.4f",
                         (unsigned long long)n + 1, c, count, (unsigned long long)counts[c], share);
            all += counts[c];
        }
        assert_int_equal(all, n + 1);
    }
}

static void shares_are_exact(void **state) {
    (void)state;
    static const int counts[] = {1, 2, 3, 5, 8, 17, 64};
    double weights[GG_BLEND_CORPORA];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int kind = 0; kind < 4; kind++)
            for (uint64_t seed = 0; seed < (counts[i] > 8 ? 2 : 8); seed++) {
                const double sum = make_weights(kind, seed, counts[i], weights);
                gg_blend *blend = gg_blend_create(weights, counts[i]);
                walk(blend, weights, sum, counts[i], 0, 3000);
                /* In the middle of a run, over borders of blocks. */
                walk(blend, weights, sum, counts[i], (uint64_t)(1e8 * draw(seed)), 1500);
                gg_blend_destroy(&blend);
                assert_null(blend);
            }
}

/* The smallest share that there may be makes the longest blocks. */
static void rare_corpus(void **state) {
    (void)state;
    const double weights[3] = {1, GG_BLEND_BLOCK - 3, 2}, sum = GG_BLEND_BLOCK;
    gg_blend *blend = gg_blend_create(weights, 3);
    walk(blend, weights, sum, 3, 0, 3 * GG_BLEND_BLOCK + 10);
    uint64_t counts[3];
    gg_blend_count(blend, 3 * GG_BLEND_BLOCK, counts);
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[2], 6);
    gg_blend_destroy(&blend);
    assert_true(gg_blend_takes(1, GG_BLEND_BLOCK));
    assert_false(gg_blend_takes(1, GG_BLEND_BLOCK + 1));
    assert_false(gg_blend_takes(0, 1));
    assert_false(gg_blend_takes(-1, 1));
    assert_false(gg_blend_takes((double)NAN, 1));
    assert_false(gg_blend_takes((double)INFINITY, (double)INFINITY));
}

/* A blend that has been elsewhere before finds what one finds that begins there, near numbers and far ones. */
static void numbers_alone_count(void **state) {
    (void)state;
    const double weights[4] = {0.55, 0.3, 0.1, 0.05};
    gg_blend *walked = gg_blend_create(weights, 4);
    for (int i = 0; i < 300; i++) {
        const uint64_t sample = (uint64_t)(pow(2, 1 + 46.9 * draw(1000 + (uint64_t)i)));
        gg_blend *fresh = gg_blend_create(weights, 4);
        int corpus[2];
        uint64_t number[2];
        /* Behind the block before half of the time, as a walk comes to it. */
        if (i % 2 == 0)
            gg_blend_locate(walked, sample > 256 ? sample - 256 : 0, &corpus[0], &number[0]);
        gg_blend_locate(walked, sample, &corpus[0], &number[0]);
        gg_blend_locate(fresh, sample, &corpus[1], &number[1]);
        assert_int_equal(corpus[0], corpus[1]);
        assert_int_equal(number[0], number[1]);
        gg_blend_destroy(&fresh);
    }
    gg_blend_destroy(&walked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_exact),
        cmocka_unit_test(rare_corpus),
        cmocka_unit_test(numbers_alone_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
