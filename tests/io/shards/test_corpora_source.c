/* A blend of corpora as a source: what it says of itself, which samples it has, and what is refused. */
#include "core/data/blend.h"
#include "io/shards/corpora_source.h"
#include "io/shards/shard_source.h"
#include "jobs/command/settings.h"
#include "tests/shard_fixture.h"

#include <unistd.h>

enum { CONTEXT = 20, VOCAB = 500, SAMPLES = 700 };
static const char *const files[] = {"corpora-a.h5", "corpora-b.h5", "corpora-other.h5", "corpora-wide.h5"};

static int make_shards(void **state) {
    (void)state;
    fixture_shard(files[0], 1, 50 * CONTEXT + 1, 100, VOCAB, FIXTURE_FINGERPRINT);
    fixture_shard(files[1], 2, 90 * CONTEXT + 1, 100, VOCAB, FIXTURE_FINGERPRINT);
    fixture_shard(files[2], 3, 90 * CONTEXT + 1, 100, VOCAB, FIXTURE_FINGERPRINT + 1);
    fixture_shard(files[3], 4, 90 * CONTEXT + 1, 100, VOCAB + 1, FIXTURE_FINGERPRINT);
    return 0;
}

static int remove_shards(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    return 0;
}

/* Opens the blend of "NAME FILE WEIGHT" of each corpus. */
static gg_status open_blend(const char *const (*corpora)[3], int count, struct gg_source *source,
                            struct gg_corpora_facts *facts) {
    struct gg_settings settings;
    gg_settings_init(&settings);
    for (int c = 0; c < count; c++) {
        char *paths = gg_format("data.train.%s", corpora[c][0]), *weight = gg_format("%s.weight", paths);
        CHECK_OK(gg_settings_set(&settings, paths, corpora[c][1], "test"));
        CHECK_OK(gg_settings_set(&settings, weight, corpora[c][2], "test"));
        free(paths);
        free(weight);
    }
    CHECK_OK(gg_settings_resolve(&settings));
    *facts = (struct gg_corpora_facts){0};
    const gg_status status = gg_train_source_open(&settings.data, CONTEXT, &gg_shards_opener, source, facts);
    if (status == GG_OK) {
        assert_true(source->bytes <= gg_train_source_most_bytes(&settings.data, VOCAB));
        assert_string_equal(facts->first_file, corpora[0][1]);
    }
    free(facts->first_file);
    gg_settings_free(&settings);
    return status;
}

static uint64_t data_of(const char *const (*corpora)[3], int count) {
    struct gg_source source;
    struct gg_corpora_facts facts;
    CHECK_OK(open_blend(corpora, count, &source, &facts));
    source.close(source.self);
    return source.data_fingerprint;
}

/* The memory that it takes is what it says; a resumed run compares names, weights and data. */
static void facts_of_a_blend(void **state) {
    (void)state;
    static const char *const blend[][3] = {{"a", "corpora-a.h5", "3"}, {"b", "corpora-b.h5", "1"}};
    struct gg_source source;
    struct gg_corpora_facts facts;
    const size_t before = gg_memory_taken();
    CHECK_OK(open_blend(blend, 2, &source, &facts));
    assert_int_equal(gg_memory_taken(), before);
    CHECK_OK(source.reserve(source.self));
    CHECK_OK(source.reserve(source.self));
    assert_in_range(gg_memory_taken() - before, 2 * 2 * GG_SHARD_CHUNK_TOKENS, source.bytes);
    assert_int_equal(facts.samples[0], 50);
    assert_int_equal(facts.samples[1], 90);
    assert_int_equal(source.samples, 140);
    assert_int_equal(source.vocab, VOCAB);
    assert_int_equal(source.tokenizer_fingerprint, FIXTURE_FINGERPRINT);
    assert_true(fabs(source.text_bytes_per_token - 4) < 1e-12);
    source.close(source.self);

    static const char *const others[][2][3] = {
        {{"a", "corpora-a.h5", "3"}, {"b", "corpora-b.h5", "2"}},
        {{"a", "corpora-a.h5", "3"}, {"c", "corpora-b.h5", "1"}},
        {{"a", "corpora-b.h5", "3"}, {"b", "corpora-a.h5", "1"}},
    };
    const uint64_t data = source.data_fingerprint;
    assert_int_equal(data, data_of(blend, 2));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_not_equal(data, data_of(others[i], 2));
    assert_int_not_equal(data, data_of(blend, 1));
}

/* The samples of a corpus, in the order in which the blend gives them: the first SAMPLES tokens of each. */
static int samples_of(const char *const (*corpora)[3], int count, int corpus, int32_t *firsts) {
    struct gg_source source;
    struct gg_corpora_facts facts;
    double weights[3];
    for (int c = 0; c < count; c++)
        weights[c] = strtod(corpora[c][2], NULL);
    CHECK_OK(open_blend(corpora, count, &source, &facts));
    CHECK_OK(source.reserve(source.self));
    gg_blend *blend = gg_blend_create(weights, count);
    int found = 0;
    for (uint64_t n = 0; n < SAMPLES; n++) {
        int32_t tokens[CONTEXT + 1];
        int from;
        uint64_t number;
        CHECK_OK(source.read(source.self, n, &(struct gg_sample){.tokens = tokens}));
        gg_blend_locate(blend, n, &from, &number);
        if (from == corpus)
            firsts[found++] = tokens[0] << 16 | tokens[CONTEXT];
    }
    gg_blend_destroy(&blend);
    source.close(source.self);
    return found;
}

/* A corpus' own order is the same whatever it is blended with, and is not that of another name. */
static void others_do_not_reshuffle(void **state) {
    (void)state;
    static const char *const two[][3] = {{"a", "corpora-a.h5", "3"}, {"b", "corpora-b.h5", "1"}};
    static const char *const three[][3] = {
        {"a", "corpora-a.h5", "1"}, {"aa", "corpora-b.h5", "1"}, {"b", "corpora-b.h5", "4"}};
    int32_t of_two[SAMPLES], of_three[SAMPLES], of_name[SAMPLES];
    const int few = samples_of(two, 2, 1, of_two), many = samples_of(three, 3, 2, of_three);
    assert_true(few > 150 && many > few);
    assert_memory_equal(of_two, of_three, (size_t)few * sizeof *of_two);
    const int others = samples_of(three, 3, 1, of_name);
    assert_true(others > 90);
    assert_memory_not_equal(of_name, of_two, 90 * sizeof *of_two);
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *const blend[2][3];
        gg_status status;
        const char *message;
    } cases[] = {
        {{{"a", "corpora-a.h5", "1"}, {"x", "corpora-other.h5", "1"}},
         GG_BAD_DATA,
         "data.train.a and data.train.x were made with different tokenizers"},
        {{{"a", "corpora-a.h5", "1"}, {"x", "corpora-wide.h5", "1"}},
         GG_BAD_DATA,
         "data.train.a and data.train.x were made with different tokenizers"},
        {{{"a", "corpora-a.h5", "1"}, {"x", "corpora-none*.h5", "1"}},
         GG_STORAGE,
         "data.train.x: no file matches 'corpora-none*.h5'"},
        {{{"a", "[corpora-a.h5, corpora-other.h5]", "1"}, {"x", "corpora-b.h5", "1"}},
         GG_BAD_DATA,
         "data.train.a: corpora-a.h5 and corpora-other.h5 were made with different tokenizers"},
    };
    const size_t before = gg_memory_taken();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gg_source source;
        struct gg_corpora_facts facts;
        CHECK_FAILS(open_blend(cases[i].blend, 2, &source, &facts), cases[i].status, cases[i].message);
    }
    assert_int_equal(gg_memory_taken(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_a_blend),
        cmocka_unit_test(others_do_not_reshuffle),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, make_shards, remove_shards);
}
