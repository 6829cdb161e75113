/* GPT-2's vocabulary in all its file forms: golden vectors, fingerprints, the whole Bible, round trips. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMS = 3, GPT2_VOCAB = 50257, GPT2_END = 50256 };

static gg_tokenizer *forms[FORMS];
static char *data_folder;

static void check_ids(gg_encoder *encoder, const char *text, size_t bytes, const json_t *expected) {
    struct gg_ids ids = {0};
    CHECK_OK(gg_encode(encoder, text, bytes, false, &ids));
    assert_int_equal(ids.count, json_array_size(expected));
    for (size_t i = 0; i < ids.count; i++)
        if (ids.items[i] != (uint32_t)json_integer_value(json_array_get(expected, i)))
            fail_msg("'%s': id %zu is %u, expected %lld", text, i, ids.items[i],
                     (long long)json_integer_value(json_array_get(expected, i)));
    gg_ids_free(&ids);
}

static void golden_vectors(void **state) {
    (void)state;
    char *path = gg_format("%s/golden.jsonl", data_folder), *text;
    size_t bytes;
    CHECK_OK(gg_file_read(path, 1 << 20, &text, &bytes));
    for (int form = 0; form < FORMS; form++) {
        gg_encoder *encoder;
        size_t vectors = 0;
        CHECK_OK(gg_encoder_create(forms[form], &encoder));
        for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1, vectors++) {
            json_t *vector = json_loadb(line, strcspn(line, "\n"), 0, NULL);
            const json_t *input = json_object_get(vector, "text");
            assert_non_null(input);
            check_ids(encoder, json_string_value(input), json_string_length(input),
                      json_object_get(vector, "ids"));
            json_decref(vector);
        }
        assert_true(vectors >= 16);
        gg_encoder_destroy(&encoder);
    }
    free(text);
    free(path);
}

static void forms_are_the_same(void **state) {
    (void)state;
    for (int form = 0; form < FORMS; form++) {
        assert_int_equal(gg_tokenizer_vocab(forms[form]), GPT2_VOCAB);
        assert_int_equal(gg_tokenizer_end_of_text(forms[form]), GPT2_END);
        assert_int_equal(gg_tokenizer_parts(forms[form]).merge_count, 50000);
        assert_true(gg_tokenizer_fingerprint(forms[form]) == gg_tokenizer_fingerprint(forms[0]));
    }
}

/* Every byte string decodes to itself: random bytes, and random text of all kinds of characters. */
static void round_trips(void **state) {
    (void)state;
    enum { ROUNDS = 400, MOST = 700 };
    gg_encoder *encoder;
    CHECK_OK(gg_encoder_create(forms[0], &encoder));
    for (uint64_t round = 0; round < ROUNDS; round++) {
        char text[MOST], back[MOST];
        const size_t bytes = gg_random_bits(1, 0, round) % MOST;
        size_t length = 0;
        for (size_t i = 0; i < bytes; i++) {
            const uint64_t bits = gg_random_bits(2, round, i);
            text[i] = round % 2 == 0 ? (char)bits : "aei \n\t's1\xC3\xA9\xE2\x80\x83\xF0"[bits % 16];
        }
        struct gg_ids ids = {0};
        CHECK_OK(gg_encode(encoder, text, bytes, false, &ids));
        for (size_t i = 0; i < ids.count; i++) {
            size_t token_length;
            const char *token = gg_token_bytes(forms[0], ids.items[i], &token_length);
            assert_true(length + token_length <= bytes);
            memcpy(back + length, token, token_length);
            length += token_length;
        }
        assert_int_equal(length, bytes);
        assert_memory_equal(text, back, bytes);
        gg_ids_free(&ids);
    }
    gg_encoder_destroy(&encoder);
}

static void special_tokens_only_where_allowed(void **state) {
    (void)state;
    static const char text[] = "a" GG_END_OF_TEXT GG_END_OF_TEXT "b<|endof";
    gg_encoder *encoder;
    CHECK_OK(gg_encoder_create(forms[0], &encoder));
    struct gg_ids plain = {0}, special = {0};
    CHECK_OK(gg_encode(encoder, text, strlen(text), false, &plain));
    CHECK_OK(gg_encode(encoder, text, strlen(text), true, &special));
    for (size_t i = 0; i < plain.count; i++)
        assert_true(plain.items[i] != GPT2_END);
    assert_int_equal(special.items[0], 64);
    assert_int_equal(special.items[1], GPT2_END);
    assert_int_equal(special.items[2], GPT2_END);
    assert_int_equal(special.items[3], 65);
    assert_true(special.count > 4 && special.count < plain.count);
    gg_ids_free(&plain);
    gg_ids_free(&special);
    gg_encoder_destroy(&encoder);
}

/* A run of letters of a megabyte is one word: seconds when merging it is n log n, hours when it is quadratic.
 */
static void a_long_word_is_not_quadratic(void **state) {
    (void)state;
    const size_t bytes = 1 << 20;
    char *text = gg_malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)('a' + gg_random_bits(3, 0, i) % 26);
    gg_encoder *encoder;
    struct gg_ids ids = {0};
    CHECK_OK(gg_encoder_create(forms[0], &encoder));
    CHECK_OK(gg_encode(encoder, text, bytes, false, &ids));
    assert_true(ids.count > bytes / 4 && ids.count < bytes);
    gg_ids_free(&ids);
    gg_encoder_destroy(&encoder);
    free(text);
}

static void a_word_too_long_is_refused(void **state) {
    (void)state;
    const size_t bytes = GG_WORD_MAX_BYTES + 8;
    char *text = gg_malloc(bytes);
    memset(text, 'a', bytes);
    memcpy(text, "word 1", 6);
    gg_encoder *encoder;
    struct gg_ids ids = {0};
    CHECK_OK(gg_encoder_create(forms[0], &encoder));
    CHECK_FAILS(gg_encode(encoder, text, bytes, false, &ids), GG_BAD_DATA, "byte 6 of the text: a word");
    gg_ids_free(&ids);
    gg_encoder_destroy(&encoder);
    free(text);
}

/* A tokenizer written and read again is the same. */
static void json_round_trip(void **state) {
    (void)state;
    size_t bytes;
    char *json = gg_tokenizer_to_json(forms[0], &bytes);
    assert_non_null(json);
    gg_tokenizer *again;
    CHECK_OK(gg_tokenizer_from_json(json, bytes, "test", &again));
    assert_true(gg_tokenizer_fingerprint(again) == gg_tokenizer_fingerprint(forms[0]));
    gg_tokenizer_destroy(&again);
    free(json);
}

/* A folder with vocab.json and merges.txt, the rank file, and a tokenizer.json written from them. */
static int load_forms(void **state) {
    (void)state;
    char *ranks = gg_format("%s/r50k_base.tiktoken", data_folder);
    char *json = gg_format("%s/gg-test-%ld.json", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp",
                           (long)getpid());
    gg_status status = gg_tokenizer_load(data_folder, &forms[0]);
    if (status == GG_OK)
        status = gg_tokenizer_load(ranks, &forms[1]);
    if (status == GG_OK)
        status = gg_tokenizer_save(forms[1], json);
    if (status == GG_OK)
        status = gg_tokenizer_load(json, &forms[2]);
    unlink(json);
    free(json);
    free(ranks);
    if (status != GG_OK)
        fprintf(stderr, "%s\n", gg_failure());
    return status == GG_OK ? 0 : -1;
}

static int destroy_forms(void **state) {
    (void)state;
    for (int form = 0; form < FORMS; form++)
        gg_tokenizer_destroy(&forms[form]);
    return 0;
}

int main(void) {
    const char *shared = getenv("GG_SHARED_DATA");
    data_folder = gg_format("%s/gpt2", shared != NULL ? shared : "../shared/data");
    if (!gg_file_exists(data_folder)) {
        printf("skipped: no GPT-2 vocabulary in %s (set GG_SHARED_DATA)\n", data_folder);
        free(data_folder);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_the_same),
        cmocka_unit_test(golden_vectors),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(special_tokens_only_where_allowed),
        cmocka_unit_test(a_long_word_is_not_quadratic),
        cmocka_unit_test(a_word_too_long_is_refused),
        cmocka_unit_test(json_round_trip),
    };
    const int failed = cmocka_run_group_tests(tests, load_forms, destroy_forms);
    free(data_folder);
    return failed;
}
