/* The tree of virtual replicas: rounds, positions, parts, and sums whose bits do not depend on who adds what. */
#include "core/kernels/tree_sum.h"
#include "core/optim/gradient_tree.h"
#include "core/plan/legality.h"
#include "core/plan/partition.h"
#include "jobs/command/settings.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

enum { ELEMENTS = 5003, BUCKET_BYTES = 8000 };

static float value(int leaf, int64_t i) {
    return (float)(sin((double)(i % 977) * 0.37 + leaf * 1.7) * (double)(1 + i % 7));
}

/* Neighbours added, then pairs of pairs, level by level. */
static float sum_by_levels(const float *leaves, int count) {
    float level[64] = {0};
    memcpy(level, leaves, (size_t)count * sizeof *level);
    for (; count > 1; count = (count + 1) / 2)
        for (int k = 0; 2 * k < count; k++)
            level[k] = 2 * k + 1 < count ? level[2 * k] + level[2 * k + 1] : level[2 * k];
    return level[0];
}

static void positions_are_reversed(void **state) {
    (void)state;
    const int of_8[] = {0, 4, 2, 6, 1, 5, 3, 7}, of_6[] = {0, 3, 1, 4, 2, 5};
    const struct gg_summation tree = gg_summation_make(8, 8, GG_REDUCTION_TREE),
                              six = gg_summation_make(6, 6, GG_REDUCTION_TREE),
                              pairwise = gg_summation_make(8, 8, GG_REDUCTION_PAIRWISE);
    for (int d = 0; d < 8; d++) {
        assert_int_equal(gg_summation_position(&tree, d), of_8[d]);
        assert_int_equal(gg_summation_position(&pairwise, d), d);
    }
    for (int d = 0; d < 6; d++)
        assert_int_equal(gg_summation_position(&six, d), of_6[d]);
    assert_int_equal(gg_summation_messages(&tree), 3);
    assert_int_equal(gg_summation_messages(&six), 3);
    assert_int_equal(gg_summation_messages(&pairwise), 7);
    const struct gg_summation large = gg_summation_make(4096, 4096, GG_REDUCTION_AUTO),
                              few = gg_summation_make(4, 16, GG_REDUCTION_AUTO);
    assert_true(large.way == GG_REDUCTION_TREE && gg_summation_messages(&large) == 12);
    assert_true(few.way == GG_REDUCTION_PAIRWISE && gg_summation_played(&few) == 4);
    assert_int_equal(gg_summation_levels(&few), 2);
    assert_int_equal(gg_summation_levels(&tree), 0);
}

/* In each round the members of a group know each other, and their parts make up what the group had. */
static void groups_agree(void **state) {
    (void)state;
    for (int replicas = 2; replicas <= 24; replicas++)
        for (int way = GG_REDUCTION_PAIRWISE; way <= GG_REDUCTION_TREE; way++) {
            const struct gg_summation s = gg_summation_make(replicas, replicas, (enum gg_reduction)way);
            for (int d = 0; d < replicas; d++) {
                int first = 0, width = replicas;
                for (int i = 0; i < s.rounds; i++) {
                    const struct gg_round mine = gg_summation_round(&s, d, i);
                    assert_true(mine.first == first && mine.width * mine.radix == width);
                    for (int member = 0; member < mine.radix; member++) {
                        const int other = gg_round_replica(&mine, d, member);
                        assert_in_range(other, 0, replicas - 1);
                        const struct gg_round theirs = gg_summation_round(&s, other, i);
                        assert_true(theirs.member == member && theirs.first == first);
                        assert_int_equal(gg_round_replica(&theirs, other, mine.member), d);
                    }
                    /* Nearest first: the groups of the first rounds are consecutive replicas. */
                    assert_int_equal(mine.stride * width, replicas);
                    first += mine.member * mine.width;
                    width = mine.width;
                }
                assert_true(width == 1 && first == gg_summation_position(&s, d));
            }
        }
}

/* Every element has one owner, and the leaves are cut alike for every number of replicas that divides them. */
static void parts_nest(void **state) {
    (void)state;
    const int leaves = 8;
    const struct gg_summation all = gg_summation_make(leaves, leaves, GG_REDUCTION_TREE);
    const struct gg_partition finest = gg_partition_cut(ELEMENTS, BUCKET_BYTES, &all);
    for (int replicas = 1; replicas <= leaves; replicas *= 2) {
        const struct gg_summation s = gg_summation_make(replicas, leaves, GG_REDUCTION_TREE);
        const struct gg_partition p = gg_partition_cut(ELEMENTS, BUCKET_BYTES, &s);
        char owners[ELEMENTS] = {0};
        for (int64_t bucket = 0; bucket < p.bucket_count; bucket++) {
            for (int leaf = 0; leaf < leaves; leaf++) {
                const struct gg_range a = gg_partition_leaves(&p, bucket, leaf, 1),
                                      b = gg_partition_leaves(&finest, bucket, leaf, 1);
                assert_true(a.from == b.from && a.to == b.to);
            }
            for (int d = 0; d < replicas; d++) {
                const struct gg_range part = gg_partition_part(&p, bucket, d);
                assert_true(part.to - part.from <= gg_partition_most(&p, 1));
                for (int64_t i = part.from; i < part.to; i++)
                    owners[i]++;
            }
        }
        for (int i = 0; i < ELEMENTS; i++)
            assert_int_equal(owners[i], 1);
    }
}

static void sums_are_the_trees(void **state) {
    (void)state;
    enum { MOST = 13 };
    float *leaves = malloc(MOST * ELEMENTS * sizeof *leaves), *sum = malloc(ELEMENTS * sizeof *sum);
    struct gg_share shares[MOST];
    for (int count = 1; count <= MOST; count++) {
        for (int leaf = 0; leaf < count; leaf++) {
            shares[leaf] = (struct gg_share){leaves + leaf * ELEMENTS, GG_PRECISION_FP32};
            for (int64_t i = 0; i < ELEMENTS; i++)
                leaves[leaf * ELEMENTS + i] = value(leaf, i);
        }
        gg_tree_sum(shares, count, sum, ELEMENTS);
        gg_tree_sum(shares, count, leaves + (count - 1) * ELEMENTS, ELEMENTS); /* over one of them */
        assert_memory_equal(sum, leaves + (count - 1) * ELEMENTS, ELEMENTS * sizeof *sum);
        for (int64_t i = 0; i < ELEMENTS; i++) {
            float level[MOST] = {0};
            for (int leaf = 0; leaf < count; leaf++)
                level[leaf] = value(leaf, i);
            assert_true(sum[i] == sum_by_levels(level, count));
        }
    }
    const double numbers[] = {1e16, 0, 1, 0, -1e16, 0, 3, 0};
    assert_true(gg_tree_sum_of(numbers, 4, 2) == (1e16 + 1) + (-1e16 + 3));
    assert_true(gg_tree_sum_of(numbers, 0, 1) == 0);
    free(leaves);
    free(sum);
}

/* A replica that plays several virtual ones adds them as so many replicas would. */
static void played_as_by_others(void **state) {
    (void)state;
    float *gradients = calloc(ELEMENTS, sizeof(float)), *waiting[4];
    for (int i = 0; i < 4; i++)
        waiting[i] = malloc(ELEMENTS * sizeof(float));
    for (int played = 1; played <= 16; played *= 2) {
        struct gg_gradient_tree tree = {gradients, waiting, ELEMENTS, played, 0, 0};
        for (int step = 0; step < 2; step++) {
            memset(gradients, 0, ELEMENTS * sizeof(float));
            gg_gradient_tree_begin(&tree);
            for (int leaf = 0; leaf < played; leaf++) {
                if (leaf > 0)
                    gg_gradient_tree_put(&tree);
                for (int64_t i = 0; i < ELEMENTS; i++)
                    gradients[i] += value(leaf, i);
            }
            gg_gradient_tree_take(&tree, 2000);
            gg_gradient_tree_take(&tree, 2000);
            gg_gradient_tree_take(&tree, 0);
            for (int64_t i = 0; i < ELEMENTS; i++) {
                float level[16] = {0};
                for (int leaf = 0; leaf < played; leaf++)
                    level[leaf] = value(leaf, i);
                assert_true(gradients[i] == sum_by_levels(level, played));
            }
        }
    }
    for (int i = 0; i < 4; i++)
        free(waiting[i]);
    free(gradients);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    struct gg_settings settings;
    gg_settings_init(&settings); /* 32 sequences, micro-batches of 8 */
    const struct gg_plan_request request = gg_settings_plan_request(&settings);
    const struct gg_place alone = {1, 0, {1, 0, 1, 0}}, four = {4, 0, {1, 0, 1, 0}};
    CHECK_OK(gg_legality_summation(&request, &alone));
    const struct {
        const char *value;
        const struct gg_place *place;
        const char *part;
    } cases[] = {{"3", &alone, "a power of two"},
                 {"0", &alone, "a power of two"},
                 {"4x", &alone, "a power of two"},
                 {"99999999999999999999", &alone, "a power of two"},
                 {"8", &alone,
                  "does not divide the 4 micro-batches of a step (batch.sequences 32 / batch.micro 8); at "
                  "most 4 does"},
                 {"2", &four, "parallel.reproducible 2: 4 replicas do not divide it"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_OK(gg_settings_set(&settings, "parallel.reproducible", cases[i].value, "test"));
        CHECK_FAILS(gg_legality_summation(&request, cases[i].place), GG_USAGE, cases[i].part);
    }
    CHECK_OK(gg_settings_set(&settings, "parallel.reproducible", "3", "test"));
    CHECK_FAILS(gg_settings_resolve(&settings), GG_USAGE, "a power of two"); /* whatever is then planned */
    CHECK_OK(gg_settings_set(&settings, "parallel.reproducible", "4", "test"));
    CHECK_OK(gg_legality_summation(&request, &four));
    CHECK_OK(gg_settings_set(&settings, "parallel.wire", "bf16", "test"));
    CHECK_FAILS(gg_legality_summation(&request, &four), GG_USAGE, "parallel.wire bf16");
    CHECK_OK(gg_settings_set(&settings, "parallel.reproducible", "auto", "test"));
    CHECK_OK(gg_legality_summation(&request, &four));
    gg_settings_free(&settings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_reversed),
        cmocka_unit_test(groups_agree),
        cmocka_unit_test(parts_nest),
        cmocka_unit_test(sums_are_the_trees),
        cmocka_unit_test(played_as_by_others),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
