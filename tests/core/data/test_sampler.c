/* The data order: every window once an epoch, another order each epoch, and few chunks at a time. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/data/sampler.h"

#include <stdlib.h>
#include <string.h>

static void permute_is_a_permutation(void **state) {
    (void)state;
    const uint64_t counts[] = {1,  2,  3,   4,   5,    7,    8,    9,    10,   16,
                               17, 99, 100, 101, 1000, 4095, 4096, 4097, 65537};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (uint64_t key = 0; key < 4; key++) {
            char *seen = gg_calloc(counts[c], 1);
            for (uint64_t i = 0; i < counts[c]; i++) {
                const uint64_t image = gg_permute(key, counts[c], i);
                assert_true(image < counts[c]);
                assert_int_equal(seen[image], 0);
                seen[image] = 1;
            }
            free(seen);
        }
    }
}

/* Every one of the 24 orders of four appears, and about as often: chi-squared with 23 degrees of freedom is
 * below 49.7 with probability 0.999. */
static void permute_is_uniform(void **state) {
    (void)state;
    enum { KEYS = 24000 };
    int counts[256] = {0};
    for (uint64_t key = 0; key < KEYS; key++) {
        unsigned order = 0;
        for (uint64_t i = 0; i < 4; i++)
            order |= (unsigned)gg_permute(key * 0x9E3779B97F4A7C15u, 4, i) << (2 * i);
        counts[order]++;
    }
    int orders = 0;
    double chi = 0;
    for (int i = 0; i < 256; i++)
        if (counts[i] > 0) {
            orders++;
            chi += (counts[i] - KEYS / 24.0) * (counts[i] - KEYS / 24.0) / (KEYS / 24.0);
        }
    assert_int_equal(orders, 24);
    assert_true(chi < 49.7);
}

static struct gg_sampler make(const int64_t *tokens, int64_t shards, int64_t context, int64_t block_tokens,
                              bool shuffle) {
    struct gg_sampler sampler;
    CHECK_OK(gg_sampler_init(&sampler, tokens, shards, context, 42, shuffle));
    sampler.block_tokens = block_tokens;
    return sampler;
}

/* Marks every window of an epoch; `context` divides `stride_tokens`-sized shards in no special way. */
static void each_window_once(const int64_t *tokens, int64_t shards, int64_t context, int64_t block_tokens) {
    struct gg_sampler sampler = make(tokens, shards, context, block_tokens, true);
    const uint64_t samples = (uint64_t)gg_sampler_samples(&sampler);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        char *seen = gg_calloc(samples, 1);
        for (uint64_t i = 0; i < samples; i++) {
            int64_t shard, offset;
            gg_sampler_locate(&sampler, epoch * samples + i, &shard, &offset);
            assert_true(shard >= 0 && shard < shards && offset >= 0 && offset % context == 0);
            assert_true(offset + context + 1 <= tokens[shard]);
            const int64_t window = sampler.first_window[shard] + offset / context;
            assert_int_equal(seen[window], 0);
            seen[window] = 1;
        }
        free(seen);
    }
    gg_sampler_free(&sampler);
}

static void every_window_once(void **state) {
    (void)state;
    const int64_t tokens[] = {1000, 3, 0, 1, 777, 8, 9, 12345};
    const int64_t blocks[] = {1, 8, 100, 1000, 1 << 20};
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        each_window_once(tokens, 8, 8, blocks[b]);
        each_window_once(tokens, 8, 7, blocks[b]);
        each_window_once(tokens + 4, 1, 776, blocks[b]);
        each_window_once(tokens, 8, 1, blocks[b]);
    }
    /* All numbers of blocks around the borders of pools. */
    for (int64_t n = 1; n < 70; n++)
        each_window_once(&(int64_t){n * 40 + 17}, 1, 10, 40);
}

static void epochs_and_seeds_differ(void **state) {
    (void)state;
    const int64_t tokens = 100001;
    struct gg_sampler sampler = make(&tokens, 1, 100, 4000, true), other = make(&tokens, 1, 100, 4000, true);
    other.seed = 43;
    int same_epoch = 0, same_seed = 0, in_order = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        int64_t shard, first, second, third;
        gg_sampler_locate(&sampler, i, &shard, &first);
        gg_sampler_locate(&sampler, 1000 + i, &shard, &second);
        gg_sampler_locate(&other, i, &shard, &third);
        same_epoch += first == second;
        same_seed += first == third;
        in_order += first == (int64_t)i * 100;
    }
    assert_true(same_epoch < 10 && same_seed < 10 && in_order < 10);
    gg_sampler_free(&sampler);
    gg_sampler_free(&other);
}

/* While a pool is read, its windows come from few places: count the misses of a cache of the promised size.
 */
static void chunks_are_read_rarely(void **state) {
    (void)state;
    enum { CHUNK = 4096, CHUNKS = 200, SLOTS = 2 * (GG_SAMPLER_POOL_BLOCKS + 1) + 2 };
    const int64_t tokens = (int64_t)CHUNK * CHUNKS;
    struct gg_sampler sampler = make(&tokens, 1, 96, CHUNK, true);
    int64_t cached[SLOTS], used[SLOTS], misses = 0;
    memset(cached, 0xff, sizeof cached);
    memset(used, 0, sizeof used);
    const uint64_t samples = (uint64_t)gg_sampler_samples(&sampler);
    for (uint64_t i = 0; i < samples; i++) {
        int64_t shard, offset;
        gg_sampler_locate(&sampler, i, &shard, &offset);
        for (int64_t chunk = offset / CHUNK; chunk <= (offset + 96) / CHUNK; chunk++) {
            int at = 0;
            for (int s = 0; s < SLOTS && cached[at] != chunk; s++)
                if (cached[s] == chunk || used[s] < used[at])
                    at = s;
            misses += cached[at] != chunk;
            cached[at] = chunk;
            used[at] = (int64_t)i + 1;
        }
    }
    /* A block that straddles two chunks shares each with a neighbour: at most two reads of each. */
    if (misses > 2 * CHUNKS + 2 || misses < CHUNKS)
        fail_msg("%lld chunk reads for %d chunks", (long long)misses, CHUNKS);
    gg_sampler_free(&sampler);
}

static void sequential_and_too_short(void **state) {
    (void)state;
    const int64_t tokens[] = {25, 5, 31};
    struct gg_sampler sampler = make(tokens, 3, 10, 1 << 20, false);
    assert_int_equal(gg_sampler_samples(&sampler), 5);
    const int64_t expected[5][2] = {{0, 0}, {0, 10}, {2, 0}, {2, 10}, {2, 20}};
    for (uint64_t i = 0; i < 5; i++) {
        int64_t shard, offset;
        gg_sampler_locate(&sampler, i, &shard, &offset);
        assert_int_equal(shard, expected[i][0]);
        assert_int_equal(offset, expected[i][1]);
    }
    gg_sampler_free(&sampler);
    CHECK_FAILS(gg_sampler_init(&sampler, tokens, 3, 31, 1, true), GG_BAD_DATA, "the longest has 31");
}

/* The order is part of what a resumed run relies on: it must not change by accident. */
static void order_is_pinned(void **state) {
    (void)state;
    const int64_t tokens[] = {5000, 7001};
    struct gg_sampler sampler = make(tokens, 2, 10, 100, true);
    uint64_t hash = 0;
    for (uint64_t i = 0; i < 2400; i++) {
        int64_t shard, offset;
        gg_sampler_locate(&sampler, i, &shard, &offset);
        hash = hash * 0x9E3779B97F4A7C15u + (uint64_t)(shard * 100000 + offset);
    }
    assert_int_equal(hash, 0x185925b18b20baea);
    gg_sampler_free(&sampler);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permute_is_a_permutation), cmocka_unit_test(permute_is_uniform),
        cmocka_unit_test(every_window_once),        cmocka_unit_test(epochs_and_seeds_differ),
        cmocka_unit_test(chunks_are_read_rarely),   cmocka_unit_test(sequential_and_too_short),
        cmocka_unit_test(order_is_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
