/* The loader: the same samples for any number of replicas, resumable, and exactly what the shards hold. */
#include "core/data/sampler.h"
#include "io/shards/loader.h"
#include "io/shards/shard_source.h"
#include "tests/shard_fixture.h"

#include <time.h>
#include <unistd.h>

enum { CONTEXT = 100, VOCAB = 5000 };
static const int64_t shard_tokens[] = {30000, 1 << 20, (1 << 20) + 4321, 99, 7777};
static char *items[] = {(char[]){"loader-0.h5"}, (char[]){"loader-1.h5"}, (char[]){"loader-2.h5"},
                        (char[]){"loader-3.h5"}, (char[]){"loader-4.h5"}};
static const struct gg_text_list paths = {items, 5};

static int make_shards(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++)
        fixture_shard(items[i], (uint64_t)i, shard_tokens[i], 1000, VOCAB, FIXTURE_FINGERPRINT);
    return 0;
}

static int remove_shards(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++)
        unlink(items[i]);
    return 0;
}

static gg_status create(const struct gg_text_list *list, int64_t context, uint64_t seed, bool shuffle,
                        gg_loader **loader) {
    struct gg_source source;
    GG_TRY(gg_shard_source_open(list, context, seed, shuffle, &source));
    gg_loader_create(&source, loader);
    return GG_OK;
}

static gg_loader *make(bool shuffle) {
    gg_loader *loader = NULL;
    CHECK_OK(create(&paths, CONTEXT, 9, shuffle, &loader));
    return loader;
}

/* What a sample must hold, straight from the fixture. */
static void check_row(uint64_t id, bool shuffle, const int32_t *inputs, const int32_t *targets) {
    struct gg_sampler sampler;
    CHECK_OK(gg_sampler_init(&sampler, shard_tokens, 5, CONTEXT, 9, shuffle));
    int64_t shard, offset;
    gg_sampler_locate(&sampler, id, &shard, &offset);
    for (int64_t t = 0; t < CONTEXT; t++) {
        assert_int_equal(inputs[t], fixture_token((uint64_t)shard, offset + t, VOCAB));
        assert_int_equal(targets[t], fixture_token((uint64_t)shard, offset + t + 1, VOCAB));
    }
    gg_sampler_free(&sampler);
}

static void facts(void **state) {
    (void)state;
    gg_loader *loader = make(true);
    assert_int_equal(gg_loader_source(loader)->samples, 299 + 10485 + 10528 + 0 + 77);
    assert_int_equal(gg_loader_source(loader)->vocab, VOCAB);
    assert_int_equal(gg_loader_source(loader)->tokenizer_fingerprint, FIXTURE_FINGERPRINT);
    assert_true(fabs(gg_loader_source(loader)->text_bytes_per_token - 4) < 1e-12);
    gg_loader_destroy(&loader);
    gg_loader_destroy(&loader);
}

static void rows_hold_the_shards_tokens(void **state) {
    (void)state;
    enum { B = 5 };
    int32_t inputs[B * CONTEXT] = {0}, targets[B * CONTEXT] = {0};
    uint64_t ids[B] = {0};
    gg_loader *loader = make(true);
    const struct gg_loader_plan plan = {.consumed = 0, .sequences = 2 * B, .micro = B, .replicas = 1};
    CHECK_OK(gg_loader_start(loader, &plan));
    for (uint64_t n = 0; n < 400; n++) {
        double waited = -1;
        CHECK_OK(gg_loader_next(loader, &(struct gg_micro_batch){inputs, targets, ids, {0}}, &waited));
        assert_true(waited >= 0);
        for (uint64_t b = 0; b < B; b++) {
            assert_int_equal(ids[b], n * B + b);
            check_row(ids[b], true, inputs + b * CONTEXT, targets + b * CONTEXT);
        }
    }
    gg_loader_destroy(&loader);
}

/* For D replicas, step by step: every sample of [s G, (s + 1) G) exactly once. Starts in the middle. */
static void replicas_share_each_step(void **state) {
    (void)state;
    enum { G = 24, STEPS = 7, CONSUMED = 1200 };
    for (int replicas = 1; replicas <= 4; replicas++) {
        for (int64_t micro = 1; micro <= 2; micro++) {
            char seen[STEPS * G] = {0};
            for (int replica = 0; replica < replicas; replica++) {
                gg_loader *loader = make(true);
                const struct gg_loader_plan plan = {CONSUMED, G, micro, replica, replicas, 1};
                CHECK_OK(gg_loader_start(loader, &plan));
                for (int step = 0; step < STEPS; step++)
                    for (int64_t a = 0; a < G / micro / replicas; a++) {
                        int32_t inputs[2 * CONTEXT] = {0}, targets[2 * CONTEXT] = {0};
                        uint64_t ids[2] = {0};
                        CHECK_OK(gg_loader_next(loader, &(struct gg_micro_batch){inputs, targets, ids, {0}},
                                                NULL));
                        for (int64_t b = 0; b < micro; b++) {
                            assert_int_equal((ids[b] - CONSUMED) / G, step);
                            seen[ids[b] - CONSUMED]++;
                            check_row(ids[b], true, inputs + b * CONTEXT, targets + b * CONTEXT);
                        }
                    }
                gg_loader_destroy(&loader);
            }
            for (int i = 0; i < STEPS * G; i++)
                assert_int_equal(seen[i], 1);
        }
    }
    gg_loader *loader = make(true);
    CHECK_FAILS(gg_loader_start(loader, &(struct gg_loader_plan){0, 24, 5, 0, 1, 1}), GG_USAGE,
                "batch.sequences");
    CHECK_FAILS(gg_loader_start(loader, &(struct gg_loader_plan){0, 24, 2, 0, 5, 1}), GG_USAGE,
                "number of replicas (5)");
    gg_loader_destroy(&loader);
}

/* The micro-batches of virtual replica v of V are the same ones in the same order, whichever replica plays it. */
static void virtual_replicas_keep_their_samples(void **state) {
    (void)state;
    enum { G = 48, V = 8, MICRO = 2, CONSUMED = 96, STEPS = 3 };
    for (int replicas = 1; replicas <= V; replicas *= 2)
        for (int replica = 0; replica < replicas; replica++) {
            gg_loader *loader = make(true);
            const int played = V / replicas;
            const struct gg_loader_plan plan = {CONSUMED, G, MICRO, replica, replicas, played};
            CHECK_OK(gg_loader_start(loader, &plan));
            for (int step = 0; step < STEPS; step++)
                for (int v = replica * played; v < (replica + 1) * played; v++)
                    for (int64_t a = 0; a < G / (MICRO * V); a++) {
                        int32_t inputs[MICRO * CONTEXT] = {0}, targets[MICRO * CONTEXT] = {0};
                        uint64_t ids[MICRO] = {0};
                        CHECK_OK(gg_loader_next(loader, &(struct gg_micro_batch){inputs, targets, ids, {0}},
                                                NULL));
                        for (int64_t b = 0; b < MICRO; b++)
                            assert_int_equal(ids[b], CONSUMED + step * G + (a * V + v) * MICRO + b);
                    }
            gg_loader_destroy(&loader);
        }
}

static void sequential_ends_with_empty_rows(void **state) {
    (void)state;
    enum { B = 64, D = 3 };
    static int32_t inputs[B * CONTEXT], targets[B * CONTEXT];
    gg_loader *loader = make(false);
    const int64_t samples = gg_loader_source(loader)->samples, calls = (samples + B * D - 1) / (B * D);
    char *seen = gg_calloc((size_t)samples, 1);
    /* One loader, started anew for each replica: a start forgets the look-ahead of the last. */
    for (int replica = 0; replica < D; replica++) {
        CHECK_OK(gg_loader_start(loader, &(struct gg_loader_plan){0, B * D, B, replica, D, 1}));
        for (int64_t n = 0; n < calls; n++) {
            uint64_t ids[B] = {0};
            CHECK_OK(gg_loader_next(loader, &(struct gg_micro_batch){inputs, targets, ids, {0}}, NULL));
            for (int64_t b = 0; b < B; b++) {
                if (b > 0 && ids[b - 1] == GG_LOADER_NO_SAMPLE)
                    assert_true(ids[b] == GG_LOADER_NO_SAMPLE);
                if (ids[b] == GG_LOADER_NO_SAMPLE) {
                    assert_int_equal(inputs[b * CONTEXT] | targets[b * CONTEXT + CONTEXT - 1], 0);
                } else {
                    assert_true(ids[b] < (uint64_t)samples);
                    seen[ids[b]]++;
                    if (ids[b] % 97 == 0)
                        check_row(ids[b], false, inputs + b * CONTEXT, targets + b * CONTEXT);
                }
            }
        }
    }
    for (int64_t i = 0; i < samples; i++)
        assert_int_equal(seen[i], 1);
    free(seen);
    gg_loader_destroy(&loader);
}

/* A chunk that is damaged after opening: the thread's failure reaches the consumer and names the file. */
static void damage_reaches_the_consumer(void **state) {
    (void)state;
    fixture_shard("loader-bad.h5", 77, 50000, 1000, VOCAB, FIXTURE_FINGERPRINT);
    char *bad = (char[]){"loader-bad.h5"};
    const struct gg_text_list list = {&bad, 1};
    gg_loader *loader = NULL;
    CHECK_OK(create(&list, CONTEXT, 9, true, &loader));
    assert_int_equal(truncate("loader-bad.h5", 3000), 0);
    CHECK_OK(gg_loader_start(loader, &(struct gg_loader_plan){0, 4, 4, 0, 1, 1}));
    int32_t inputs[4 * CONTEXT] = {0}, targets[4 * CONTEXT] = {0};
    for (int again = 0; again < 2; again++)
        CHECK_FAILS(gg_loader_next(loader, &(struct gg_micro_batch){inputs, targets, NULL, {0}}, NULL),
                    GG_BAD_DATA, "loader-bad.h5");
    gg_loader_destroy(&loader);
    unlink("loader-bad.h5");
}

static void shards_that_do_not_belong_together(void **state) {
    (void)state;
    fixture_shard("loader-other.h5", 77, 5000, 1000, VOCAB, FIXTURE_FINGERPRINT + 1);
    char *two[] = {items[0], (char[]){"loader-other.h5"}};
    const struct gg_text_list list = {two, 2};
    gg_loader *loader = NULL;
    CHECK_FAILS(create(&list, CONTEXT, 9, true, &loader), GG_BAD_DATA, "loader-other.h5");
    assert_non_null(strstr(gg_failure(), items[0]));
    assert_null(loader);
    CHECK_FAILS(create(&(struct gg_text_list){items + 3, 1}, CONTEXT, 9, true, &loader), GG_BAD_DATA,
                "loader-3.h5");
    unlink("loader-other.h5");
}

static void globs(void **state) {
    (void)state;
    char *patterns[] = {(char[]){"loader-[123].h5"}, (char[]){"loader-?.h5"}};
    struct gg_text_list found = {0};
    CHECK_OK(gg_shards_expand(&(struct gg_text_list){patterns, 2}, &found, "data.train"));
    const char *expected[] = {"loader-1.h5", "loader-2.h5", "loader-3.h5", "loader-0.h5", "loader-4.h5"};
    assert_int_equal(found.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(found.items[i], expected[i]);
    gg_text_list_free(&found);
    char *none = (char[]){"no-such-*.h5"};
    CHECK_FAILS(gg_shards_expand(&(struct gg_text_list){&none, 1}, &found, "data.val"), GG_STORAGE,
                "data.val: no file matches 'no-such-*.h5'");
    CHECK_FAILS(gg_shards_expand(&(struct gg_text_list){NULL, 0}, &found, "data.val"), GG_USAGE, "data.val");
}

static gg_status expand(const char *const *names, size_t count, struct gg_text_list *found) {
    char *patterns[4];
    for (size_t i = 0; i < count; i++)
        patterns[i] = gg_strdup(names[i]);
    const gg_status status = gg_shards_expand(&(struct gg_text_list){patterns, count}, found, "data.train");
    for (size_t i = 0; i < count; i++)
        free(patterns[i]);
    return status;
}

/* A file under two names would count twice; under one name, from overlapping globs, it is taken once. */
static void one_file_by_two_names(void **state) {
    (void)state;
    unlink("loader-symbolic.h5"); /* of an earlier run that failed */
    unlink("loader-hard.h5");
    assert_int_equal(symlink("loader-1.h5", "loader-symbolic.h5"), 0);
    assert_int_equal(link("loader-1.h5", "loader-hard.h5"), 0);
    char *absolute = realpath("loader-1.h5", NULL);
    const char *const others[] = {"./loader-1.h5",      ".//loader-1.h5", absolute,
                                  "loader-symbolic.h5", "loader-hard.h5", "./loader-[1].h5"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct gg_text_list found = {0};
        const char *const names[] = {"loader-0.h5", "loader-[12].h5", others[i]};
        CHECK_FAILS(expand(names, 3, &found), GG_USAGE, "are the same file; name it once");
        assert_non_null(strstr(gg_failure(), "data.train: 'loader-1.h5' and '"));
        assert_null(found.items);
    }
    free(absolute);
    unlink("loader-symbolic.h5");
    unlink("loader-hard.h5");
    struct gg_text_list found = {0};
    const char *const overlapping[] = {"loader-1.h5", "loader-?.h5", "loader-[01].h5"};
    CHECK_OK(expand(overlapping, 3, &found));
    assert_int_equal(found.count, 5);
    gg_text_list_free(&found);
}

/* Stopping at any moment neither hangs nor leaks. */
static void start_and_stop(void **state) {
    (void)state;
    gg_loader *loader = make(true);
    int32_t inputs[2 * CONTEXT] = {0}, targets[2 * CONTEXT] = {0};
    for (int i = 0; i < 50; i++) {
        CHECK_OK(gg_loader_start(loader, &(struct gg_loader_plan){i * 2, 2, 2, 0, 1, 1}));
        for (int n = 0; n < i % 5; n++) {
            uint64_t ids[2] = {0};
            CHECK_OK(gg_loader_next(loader, &(struct gg_micro_batch){inputs, targets, ids, {0}}, NULL));
            assert_int_equal(ids[0], 2 * i + 2 * n);
        }
    }
    const struct gg_loader_plan plan = {0, 2, 2, 0, 1, 1};
    assert_true(gg_loader_bytes(loader, &plan) > 5 * 2 * 1048576u);
    assert_true(gg_loader_bytes(loader, &plan) < 9 * 2 * 1048576u);
    gg_loader_destroy(&loader);
}

/* A loader over shards of so many chunks, of one id over and over. */
static gg_loader *make_large(const char *path, int64_t vocab, int64_t chunks) {
    gg_shard_writer *writer = NULL;
    gg_loader *loader = NULL;
    const struct gg_shard_spec spec = {.fingerprint = FIXTURE_FINGERPRINT, .vocab = vocab, .level = 1};
    uint32_t *tokens = gg_calloc(GG_SHARD_CHUNK_TOKENS, sizeof *tokens);
    CHECK_OK(gg_shard_writer_create(path, &spec, &writer));
    for (int64_t i = 0; i < chunks; i++)
        CHECK_OK(gg_shard_writer_append(writer, tokens, GG_SHARD_CHUNK_TOKENS, true, 1));
    CHECK_OK(gg_shard_writer_finish(writer));
    CHECK_OK(gg_shard_writer_commit(&writer));
    free(tokens);
    char *item = (char *)path;
    const struct gg_text_list large = {.items = &item, .count = 1};
    CHECK_OK(create(&large, CONTEXT, 1, true, &loader));
    return loader;
}

/* What a loader takes is what it says, and with a cache's worth of chunks and more it is what was said without any
 * shards: of 16-bit and of 32-bit ids, with few and many sequences. */
static void bytes_and_their_bound(void **state) {
    (void)state;
    static const struct {
        int64_t vocab, micro, chunks;
    } cases[] = {{65536, 3, 20}, {65536, 100, 38}, {65537, 3, 38}};
    for (int i = 0; i < 3; i++) {
        const int64_t vocab = cases[i].vocab, micro = cases[i].micro, chunks = cases[i].chunks;
        const struct gg_loader_plan plan = {0, micro, micro, 0, 1, 1};
        const size_t before = gg_memory_taken(), most = gg_loader_most_bytes(vocab, CONTEXT, micro);
        gg_loader *loader = make_large("loader-large.h5", vocab, chunks);
        const size_t bytes = gg_loader_bytes(loader, &plan);
        CHECK_OK(gg_loader_start(loader, &plan));
        const size_t taken = gg_memory_taken() - before;
        if (taken > bytes || taken + 4096 < bytes || (chunks == 38 ? bytes != most : bytes > most))
            fail_msg("vocabulary %lld, %lld sequences: took %zu bytes, said %zu, and %zu at most",
                     (long long)vocab, (long long)micro, taken, bytes, most);
        gg_loader_destroy(&loader);
        unlink("loader-large.h5");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),
        cmocka_unit_test(rows_hold_the_shards_tokens),
        cmocka_unit_test(replicas_share_each_step),
        cmocka_unit_test(virtual_replicas_keep_their_samples),
        cmocka_unit_test(sequential_ends_with_empty_rows),
        cmocka_unit_test(damage_reaches_the_consumer),
        cmocka_unit_test(shards_that_do_not_belong_together),
        cmocka_unit_test(globs),
        cmocka_unit_test(one_file_by_two_names),
        cmocka_unit_test(start_and_stop),
        cmocka_unit_test(bytes_and_their_bound),
    };
    return cmocka_run_group_tests(tests, make_shards, remove_shards);
}
