/* Tokenizers of GPT-2's, Qwen 3's and Llama 3's kind against the Hugging Face tokenizers library, whose ids
 * tests/golden/make_tokenizers.py wrote down. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/clean.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_file.h"
#include "io/tokenizer/tokenizer_huggingface.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {"gpt2", "qwen3", "llama3"};
static const char *const ends[] = {"<|endoftext|>", "<|endoftext|>", "<|end_of_text|>"};
enum { KINDS = 3 };

static gg_tokenizer *tokenizers[KINDS];
static json_t *rows;

static char *golden_path(const char *name) {
    return gg_format("%s/tests/golden/%s.json", getenv("GG_SOURCE"), name);
}

static void check_ids(const char *what, const char *kind, const char *text, const struct gg_ids *ids,
                      const json_t *expected) {
    const size_t count = json_array_size(expected);
    for (size_t i = 0; i < ids->count && i < count; i++)
        if (ids->items[i] != (uint32_t)json_integer_value(json_array_get(expected, i)))
            fail_msg("%s, %s: '%s': id %zu is %u, the library says %lld", kind, what, text, i, ids->items[i],
                     (long long)json_integer_value(json_array_get(expected, i)));
    if (ids->count != count)
        fail_msg("%s, %s: '%s': %zu ids, the library says %zu", kind, what, text, ids->count, count);
}

/* Gives the text `step` bytes at a time, what was not taken again with more behind it. */
static void encode_parts(gg_encoder *encoder, const char *text, size_t bytes, size_t step, bool special,
                         struct gg_ids *ids) {
    size_t begin = 0, end = 0, consumed;
    ids->count = 0;
    do {
        end = bytes - end > step ? end + step : bytes;
        char *part = gg_malloc(end - begin + 1);
        memcpy(part, text + begin, end - begin);
        CHECK_OK(gg_encode_part(encoder, part, end - begin, end == bytes, special, ids, &consumed));
        free(part);
        begin += consumed;
    } while (end < bytes);
    assert_int_equal(begin, bytes);
}

static void check_text(gg_encoder *encoder, int kind, const char *text, size_t bytes, bool special,
                       const json_t *expected) {
    struct gg_ids ids = {0};
    CHECK_OK(gg_encode(encoder, text, bytes, special, &ids));
    check_ids("whole", kinds[kind], text, &ids, expected);
    for (size_t step = 1; step < 8; step++) {
        encode_parts(encoder, text, bytes, step, special, &ids);
        check_ids("in parts", kinds[kind], text, &ids, expected);
    }
    gg_ids_free(&ids);
}

static void ids_are_the_librarys(void **state) {
    (void)state;
    size_t i;
    json_t *row;
    for (int kind = 0; kind < KINDS; kind++) {
        gg_encoder *encoder;
        CHECK_OK(gg_encoder_create(tokenizers[kind], &encoder));
        json_array_foreach(rows, i, row) {
            const json_t *text = json_object_get(row, "text");
            const char *from[] = {"plain", "ids"};
            for (int special = 0; special < 2; special++)
                check_text(encoder, kind, json_string_value(text), json_string_length(text), special != 0,
                           json_object_get(json_object_get(row, from[special]), kinds[kind]));
        }
        gg_encoder_destroy(&encoder);
    }
    assert_true(json_array_size(rows) > 60);
}

/* Whether a line ends in the second half of a text and the next one begins with a letter: one of 'a' to 'z' and the
 * letters of two or more bytes below. Where it does, the parts of the text that is cut have the ids of the whole. */
static bool check_cut(const char *text, size_t bytes) {
    const size_t cut = gg_safe_cut(text, bytes);
    bool line = false;
    for (size_t i = bytes / 2 > 2 ? bytes / 2 : 2; i + 1 < bytes; i++)
        line |= text[i] == '\n' && strchr("\n\t ", text[i - 1]) == NULL &&
                memcmp(text + i - 2, "\x80\x80", 2) != 0 &&
                (islower((unsigned char)text[i + 1]) || strchr("\xC3\xE4", text[i + 1]) != NULL);
    for (int kind = 0; kind < KINDS && line; kind++) {
        gg_encoder *encoder;
        struct gg_ids whole = {0}, parts = {0};
        CHECK_OK(gg_encoder_create(tokenizers[kind], &encoder));
        CHECK_OK(gg_encode(encoder, text, bytes, false, &whole));
        CHECK_OK(gg_encode(encoder, text, cut, false, &parts));
        CHECK_OK(gg_encode(encoder, text + cut, bytes - cut, false, &parts));
        if (whole.count != parts.count ||
            memcmp(whole.items, parts.items, whole.count * sizeof(uint32_t)) != 0)
            fail_msg("%s: '%.*s' cut at byte %zu has other ids", kinds[kind], (int)bytes, text, cut);
        gg_ids_free(&whole);
        gg_ids_free(&parts);
        gg_encoder_destroy(&encoder);
    }
    return line;
}

/* A long document is tokenized in units that are cut where no kind notices: between words of ASCII letters, or
 * behind a line of any script. */
static void safe_cuts(void **state) {
    (void)state;
    /* ";" and a line feed are one token where the pattern lets them. */
    static const char *const pieces[] = {"\n",
                                         ";",
                                         "\xE4\xB8\xAD\xE6\x96\x87",
                                         "\n",
                                         "\xE3\x80\x82",
                                         ";\n",
                                         "\xC3\xA9",
                                         "\xE3\x80\x80",
                                         " ",
                                         "they're",
                                         "12",
                                         "\t"};
    int behind_line = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct gg_text text = {0};
        const uint64_t count = 4 + gg_random_bits(seed, 1, 0) % 30, variety = 5 + seed % 8;
        for (uint64_t i = 0; i < count; i++) {
            const char *piece = pieces[gg_random_bits(seed, 2, i) % variety];
            CHECK_OK(gg_text_append(&text, piece, strlen(piece)));
        }
        behind_line += check_cut(text.bytes, text.count);
        gg_text_free(&text);
    }
    assert_true(behind_line > 100);
}

/* What makes each kind different shows in the texts: without it there are other ids. */
static void each_kind_matters(void **state) {
    (void)state;
    int differ[2] = {0};
    size_t i;
    json_t *row;
    for (int kind = 1; kind < KINDS; kind++) {
        struct gg_tokenizer_parts parts = gg_tokenizer_parts(tokenizers[kind]);
        assert_true(kind == 1 ? parts.nfc && !parts.whole_words : !parts.nfc && parts.whole_words);
        parts.nfc = parts.whole_words = false;
        gg_tokenizer *without;
        gg_encoder *encoder;
        CHECK_OK(gg_tokenizer_create(&parts, &without));
        assert_true(gg_tokenizer_fingerprint(without) != gg_tokenizer_fingerprint(tokenizers[kind]));
        CHECK_OK(gg_encoder_create(without, &encoder));
        json_array_foreach(rows, i, row) {
            const json_t *text = json_object_get(row, "text");
            const json_t *expected = json_object_get(json_object_get(row, "ids"), kinds[kind]);
            struct gg_ids ids = {0};
            CHECK_OK(gg_encode(encoder, json_string_value(text), json_string_length(text), true, &ids));
            differ[kind - 1] += ids.count != json_array_size(expected);
            gg_ids_free(&ids);
        }
        gg_encoder_destroy(&encoder);
        gg_tokenizer_destroy(&without);
    }
    assert_true(differ[0] > 10 && differ[1] > 0);
}

static void named_tokens(void **state) {
    (void)state;
    size_t length;
    for (int kind = 0; kind < KINDS; kind++) {
        const char *end =
            gg_token_bytes(tokenizers[kind], gg_tokenizer_end_of_text(tokenizers[kind]), &length);
        assert_int_equal(length, strlen(ends[kind]));
        assert_memory_equal(end, ends[kind], length);
    }
    assert_int_equal(gg_tokenizer_begin_of_text(tokenizers[0]), -1);
    assert_int_equal(gg_tokenizer_begin_of_text(tokenizers[1]), -1);
    const char *begin =
        gg_token_bytes(tokenizers[2], (uint32_t)gg_tokenizer_begin_of_text(tokenizers[2]), &length);
    assert_memory_equal(begin, "<|begin_of_text|>", length);
}

/* Shards and checkpoints hold fingerprints: that of a tokenizer never changes. Worked out from the definition
 * (core/text/tokenizer.c) by another program; GPT-2's kind has it as versions before the others' kinds had. */
static void fingerprints_stay(void **state) {
    (void)state;
    static const uint64_t expected[] = {0x4d8ebca2342e16cfu, 0x368319f5445e34a6u, 0x8e7b38a357d47bbeu};
    for (int kind = 0; kind < KINDS; kind++)
        assert_true(gg_tokenizer_fingerprint(tokenizers[kind]) == expected[kind]);
}

static void written_and_read_again(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        size_t bytes;
        gg_tokenizer *again;
        char *json = gg_tokenizer_to_json(tokenizers[kind], &bytes);
        assert_non_null(json);
        CHECK_OK(gg_tokenizer_from_json(json, bytes, "again", &again));
        assert_true(gg_tokenizer_fingerprint(again) == gg_tokenizer_fingerprint(tokenizers[kind]));
        free(json);
        gg_tokenizer_destroy(&again);
    }
}

/* Another program's view of the folder is tests/huggingface/interop_tokenizers.py's business. */
static void huggingface_folder(void **state) {
    (void)state;
    char folder[] = "gg-tokenizer-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *whole = gg_format("%s/tokenizer.json", folder);
    char *config = gg_format("%s/tokenizer_config.json", folder);
    for (int kind = 0; kind < KINDS; kind++) {
        gg_tokenizer *again;
        CHECK_OK(gg_tokenizer_write_huggingface(tokenizers[kind], folder, 77, NULL));
        CHECK_OK(gg_tokenizer_load(folder, &again));
        assert_true(gg_tokenizer_fingerprint(again) == gg_tokenizer_fingerprint(tokenizers[kind]));
        gg_tokenizer_destroy(&again);
        json_t *root = json_load_file(config, 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(root, "model_max_length")), 77);
        assert_string_equal(json_string_value(json_object_get(root, "eos_token")), ends[kind]);
        const char *begin = json_string_value(json_object_get(root, "bos_token"));
        assert_true(kind == 2 ? strcmp(begin, "<|begin_of_text|>") == 0 : begin == NULL);
        json_decref(root);
    }
    unlink(whole);
    unlink(config);
    rmdir(folder);
    CHECK_FAILS(gg_tokenizer_write_huggingface(tokenizers[0], folder, 77, NULL), GG_STORAGE, whole);
    free(config);
    free(whole);
}

static int load(void **state) {
    (void)state;
    gg_status status = GG_OK;
    for (int kind = 0; status == GG_OK && kind < KINDS; kind++) {
        char *name = gg_format("tokenizer_%s", kinds[kind]), *path = golden_path(name);
        status = gg_tokenizer_load(path, &tokenizers[kind]);
        free(path);
        free(name);
    }
    char *path = golden_path("tokenizer_texts");
    rows = json_load_file(path, JSON_ALLOW_NUL, NULL);
    free(path);
    if (status != GG_OK)
        fprintf(stderr, "%s\n", gg_failure());
    return status == GG_OK && rows != NULL ? 0 : -1;
}

static int unload(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        gg_tokenizer_destroy(&tokenizers[kind]);
    json_decref(rows);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_the_librarys), cmocka_unit_test(safe_cuts),
        cmocka_unit_test(each_kind_matters),    cmocka_unit_test(named_tokens),
        cmocka_unit_test(fingerprints_stay),    cmocka_unit_test(written_and_read_again),
        cmocka_unit_test(huggingface_folder),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
