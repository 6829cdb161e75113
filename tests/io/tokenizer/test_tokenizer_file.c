/* Tokenizer files: what is accepted, what is refused and how, and that no damage to a file does harm. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/bpe_training.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gg-tokenizer-XXXXXX";
static gg_tokenizer *small; /* 8 merges */

static char *path_of(const char *name) {
    return gg_format("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text, size_t bytes) {
    char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static gg_status load(const char *name, gg_tokenizer **tokenizer) {
    char *path = path_of(name);
    const gg_status status = gg_tokenizer_load(path, tokenizer);
    free(path);
    return status;
}

static json_t *small_json(void) {
    size_t bytes;
    char *text = gg_tokenizer_to_json(small, &bytes);
    assert_non_null(text);
    json_t *root = json_loadb(text, bytes, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static gg_status from_json(json_t *root, gg_tokenizer **tokenizer) {
    char *text = json_dumps(root, JSON_ENCODE_ANY);
    assert_non_null(text);
    const gg_status status = gg_tokenizer_from_json(text, strlen(text), "t.json", tokenizer);
    free(text);
    json_decref(root);
    return status;
}

/* The small tokenizer's JSON with the value at a dotted path (numbers index lists) replaced. */
static json_t *changed(const char *path, const char *value) {
    json_t *root = small_json(), *at = root;
    char *copy = gg_strdup(path), *rest = copy, *name = strsep(&rest, ".");
    for (; rest != NULL; name = strsep(&rest, "."))
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
    json_t *replacement = json_loads(value, JSON_DECODE_ANY, NULL);
    assert_non_null(replacement);
    if (json_is_array(at))
        json_array_set_new(at, (size_t)atoi(name), replacement);
    else
        json_object_set_new(at, name, replacement);
    free(copy);
    return root;
}

static void fields_are_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *path, *value, *message;
    } cases[] = {
        {"normalizer", "{\"type\": \"NFKC\"}", "'normalizer' of type NFKC"},
        {"normalizer",
         "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": \"Lowercase\"}]}",
         "'normalizer' of type Lowercase"},
        {"truncation", "{\"max_length\": 5}", "'truncation'"},
        {"padding", "{}", "'padding'"},
        {"model", "7", "no field 'model'"},
        {"model.type", "\"Unigram\"", "'model.type'"},
        {"model.dropout", "0.1", "'model.dropout'"},
        {"model.continuing_subword_prefix", "\"##\"", "'model.continuing_subword_prefix'"},
        {"model.end_of_word_suffix", "\"</w>\"", "'model.end_of_word_suffix'"},
        {"model.byte_fallback", "true", "'model.byte_fallback'"},
        {"model.vocab", "[]", "'vocab'"},
        {"model.vocab.a", "\"x\"", "the id of 'a'"},
        {"model.vocab.a", "-1", "the id of 'a'"},
        {"model.vocab.a", "1", "given to two tokens"},
        {"model.vocab.a", "99999999999", "ids are at most"},
        {"model.vocab.new", "0", "given to two tokens"},
        {"model.vocab.<|endoftext|>", "9999", "another id in added_tokens"},
        {"model.vocab", "{\"a\": 0}", "'model.merges', item 0: a merge of"},
        {"model.merges", "7", "'model.merges'"},
        {"model.merges.0", "\"ab\"", "item 0: not a pair"},
        {"model.merges.1", "[\"a\", \"b\", \"c\"]", "item 1: not a pair"},
        {"model.merges.1", "[\"a\", 7]", "item 1: not a pair"},
        {"model.merges.1", "\"a unknown\"", "item 1: a merge of"},
        {"model.merges.1", "\"\\u4e00 a\"", "item 1: a merge of"},
        {"pre_tokenizer", "null", "'pre_tokenizer'"},
        {"pre_tokenizer.type", "\"Metaspace\"", "Metaspace is not supported"},
        {"pre_tokenizer.add_prefix_space", "true", "add_prefix_space"},
        {"pre_tokenizer.use_regex", "false", "use_regex"},
        {"post_processor", "{\"type\": \"BertProcessing\"}", "'post_processor'"},
        {"added_tokens.0.content", "\"<|other|>\"", "given to two tokens"},
        {"added_tokens.0.lstrip", "true", "added_tokens[].lstrip"},
        {"added_tokens.0.id", "null", "'added_tokens', item 0"},
        {"added_tokens.0.content", "\"\"", "is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gg_tokenizer *tokenizer;
        CHECK_FAILS(from_json(changed(cases[i].path, cases[i].value), &tokenizer), GG_BAD_DATA,
                    cases[i].message);
        assert_int_equal(strncmp(gg_failure(), "t.json: ", 8), 0);
        assert_null(tokenizer);
    }
}

#define SPLIT(pattern, behavior)                                                                             \
    "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": \"" pattern \
    "\"}, \"behavior\": \"" behavior "\", \"invert\": false},"                                               \
    "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}]}"

/* A caller who can go on without a tokenizer is told apart what is whole and of another kind from damage. */
static void other_kinds_are_told_from_damage(void **state) {
    (void)state;
    static const struct {
        const char *path, *value;
        bool other_kind;
    } cases[] = {
        {"normalizer", "{\"type\": \"NFKC\"}", true},
        {"model.type", "\"Unigram\"", true},
        {"model.end_of_word_suffix", "\"</w>\"", true},
        {"model.byte_fallback", "true", true},
        {"pre_tokenizer", "{\"type\": \"Metaspace\"}", true},
        {"pre_tokenizer", SPLIT("a(?<=b)", "Isolated"), true},
        {"added_tokens.0.lstrip", "true", true},
        {"model.vocab.\u2581the", "9998", true}, /* what SentencePiece's vocabularies have */
        {"added_tokens", "[]", true},            /* nothing ends a document */
        {"model", "7", false},
        {"model.vocab", "[]", false},
        {"model.vocab.a", "1", false},
        {"model.merges.0", "\"ab\"", false},
        {"added_tokens.0.id", "null", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *root = changed(cases[i].path, cases[i].value);
        if (json_array_size(json_object_get(root, "added_tokens")) == 0)
            json_object_del(json_object_get(json_object_get(root, "model"), "vocab"), GG_END_OF_TEXT);
        char *text = json_dumps(root, 0), *path = path_of("kind.json");
        write_file("kind.json", text, strlen(text));
        gg_tokenizer *tokenizer;
        bool other_kind;
        CHECK_FAILS(gg_tokenizer_load_known(path, &other_kind, &tokenizer), GG_BAD_DATA, "kind.json: ");
        if (other_kind != cases[i].other_kind)
            fail_msg("%s: %s: taken for %s: %s", cases[i].path, cases[i].value,
                     other_kind ? "another kind" : "damage", gg_failure());
        assert_null(tokenizer);
        json_decref(root);
        free(path);
        free(text);
    }
    bool other_kind = true;
    gg_tokenizer *tokenizer;
    CHECK_FAILS(gg_tokenizer_load_known(folder, &other_kind, &tokenizer), GG_STORAGE, "no tokenizer.json");
    assert_false(other_kind);
}

/* Added tokens that are not special are found in any text; a template's first token is remembered. */
static void added_tokens_and_templates(void **state) {
    (void)state;
    json_t *root =
        changed("post_processor", "{\"type\": \"Sequence\", \"processors\": [{\"type\": "
                                  "\"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
                                  "\"<s>\", \"type_id\": 0}}], \"special_tokens\": {}}]}");
    json_t *added = json_object_get(root, "added_tokens");
    json_array_append_new(added, json_pack("{s:i, s:s, s:b}", "id", 500, "content", "<think>", "special", 0));
    json_array_append_new(added, json_pack("{s:i, s:s, s:b}", "id", 501, "content", "<s>", "special", 1));
    gg_tokenizer *tokenizer;
    gg_encoder *encoder;
    struct gg_ids ids = {0};
    CHECK_OK(from_json(root, &tokenizer));
    assert_int_equal(gg_tokenizer_begin_of_text(tokenizer), 501);
    assert_int_equal(gg_tokenizer_begin_of_text(small), -1);
    CHECK_OK(gg_encoder_create(tokenizer, &encoder));
    CHECK_OK(gg_encode(encoder, "<s><think><s>", 13, false, &ids));
    assert_int_equal(ids.count, 7);
    assert_int_equal(ids.items[3], 500);
    ids.count = 0;
    CHECK_OK(gg_encode(encoder, "<s><think><s>", 13, true, &ids));
    assert_int_equal(ids.count, 3);
    assert_int_equal(ids.items[0], 501);
    gg_ids_free(&ids);
    gg_encoder_destroy(&encoder);
    gg_tokenizer_destroy(&tokenizer);
}

static void other_patterns(void **state) {
    (void)state;
    gg_tokenizer *tokenizer;
    CHECK_OK(from_json(changed("pre_tokenizer", SPLIT("\\\\p{L}+|[^\\\\p{L}]", "Isolated")), &tokenizer));
    assert_string_equal(gg_tokenizer_parts(tokenizer).pattern, "\\p{L}+|[^\\p{L}]");
    assert_true(gg_tokenizer_fingerprint(tokenizer) != gg_tokenizer_fingerprint(small));
    size_t bytes;
    char *json = gg_tokenizer_to_json(tokenizer, &bytes);
    gg_tokenizer *again;
    CHECK_OK(gg_tokenizer_from_json(json, bytes, "again", &again));
    assert_true(gg_tokenizer_fingerprint(tokenizer) == gg_tokenizer_fingerprint(again));
    free(json);
    gg_tokenizer_destroy(&again);
    gg_tokenizer_destroy(&tokenizer);
    CHECK_FAILS(from_json(changed("pre_tokenizer", SPLIT("a", "Removed")), &tokenizer), GG_BAD_DATA,
                "behavior");
    CHECK_FAILS(from_json(changed("pre_tokenizer", SPLIT("(", "Isolated")), &tokenizer), GG_BAD_DATA,
                "does not compile");
}

/* Merges as pairs, the other form there is, and ids with a hole. */
static void other_forms(void **state) {
    (void)state;
    json_t *root = small_json(), *merges = json_object_get(json_object_get(root, "model"), "merges");
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const char *text = json_string_value(json_array_get(merges, i)), *space = strchr(text, ' ');
        json_array_set_new(merges, i, json_pack("[s%, s]", text, (size_t)(space - text), space + 1));
    }
    gg_tokenizer *tokenizer;
    CHECK_OK(from_json(root, &tokenizer));
    assert_true(gg_tokenizer_fingerprint(tokenizer) == gg_tokenizer_fingerprint(small));
    gg_tokenizer_destroy(&tokenizer);
    root = changed("added_tokens.0.id", "300");
    json_object_set_new(json_object_get(json_object_get(root, "model"), "vocab"), GG_END_OF_TEXT,
                        json_integer(300));
    CHECK_OK(from_json(root, &tokenizer));
    assert_int_equal(gg_tokenizer_vocab(tokenizer), 301);
    assert_int_equal(gg_tokenizer_end_of_text(tokenizer), 300);
    size_t length;
    assert_null(gg_token_bytes(tokenizer, 299, &length));
    assert_null(gg_token_bytes(tokenizer, 301, &length));
    assert_int_equal(length, 0);
    gg_tokenizer_destroy(&tokenizer);
}

static void files_that_are_none(void **state) {
    (void)state;
    gg_tokenizer *tokenizer;
    CHECK_FAILS(load("missing.json", &tokenizer), GG_STORAGE, "missing.json");
    CHECK_FAILS(gg_tokenizer_load(folder, &tokenizer), GG_STORAGE, "no tokenizer.json in this folder");
    write_file("empty", "", 0);
    CHECK_FAILS(load("empty", &tokenizer), GG_BAD_DATA, "empty");
    write_file("words", "some words\n", 11);
    CHECK_FAILS(load("words", &tokenizer), GG_BAD_DATA, "words: neither a tokenizer.json nor a .tiktoken");
    write_file("cut.json", "{\"model\": {", 11);
    CHECK_FAILS(load("cut.json", &tokenizer), GG_BAD_DATA, "cut.json: not JSON: line 1");
    write_file("double.json", "{\"a\": 1, \"a\": 2}", 16);
    CHECK_FAILS(load("double.json", &tokenizer), GG_BAD_DATA, "duplicate");
    write_file("ranks", "YQ== 0\nYQ== 1\n", 14);
    CHECK_FAILS(load("ranks", &tokenizer), GG_BAD_DATA, "line 2: ids 0 and 1 are the same token");
    write_file("ranks", "YQ== 0\nYg== x\n", 14);
    CHECK_FAILS(load("ranks", &tokenizer), GG_BAD_DATA, "line 2: not a token");
    write_file("ranks", "YQ== 0\nYg=a 1\n", 14);
    CHECK_FAILS(load("ranks", &tokenizer), GG_BAD_DATA, "line 2: not a token");
    write_file("ranks", "YQ== 0\nYWI= 1\n", 14);
    CHECK_FAILS(load("ranks", &tokenizer), GG_BAD_DATA, "no token for the byte 0x62");
    write_file("ranks", "YQ== 0\nYWFhYQ== 1\n", 18);
    CHECK_FAILS(load("ranks", &tokenizer), GG_BAD_DATA, "rank 1 is not made of two tokens");
    write_file("ranks", "YQ== 0\n", 7);
    CHECK_FAILS(load("ranks", &tokenizer), GG_BAD_DATA, "no token for the byte 0x00");
}

/* vocab.json and merges.txt, taken apart from the small tokenizer's JSON. */
static void a_folder_of_two_files(void **state) {
    (void)state;
    json_t *root = small_json(), *model = json_object_get(root, "model");
    char *vocab = json_dumps(json_object_get(model, "vocab"), 0), *merges = gg_strdup("#version: 0.2\r\n"),
         *longer;
    size_t i;
    json_t *merge;
    json_array_foreach(json_object_get(model, "merges"), i, merge) {
        longer = gg_format("%s%s\r\n", merges, json_string_value(merge));
        free(merges);
        merges = longer;
    }
    char *pair = path_of("pair");
    CHECK_OK(gg_folder_create(pair));
    write_file("pair/vocab.json", vocab, strlen(vocab));
    gg_tokenizer *tokenizer;
    CHECK_FAILS(gg_tokenizer_load(pair, &tokenizer), GG_STORAGE, "nor vocab.json and merges.txt");
    write_file("pair/merges.txt", merges, strlen(merges));
    CHECK_OK(gg_tokenizer_load(pair, &tokenizer));
    assert_true(gg_tokenizer_fingerprint(tokenizer) == gg_tokenizer_fingerprint(small));
    gg_tokenizer_destroy(&tokenizer);
    CHECK_FAILS(load("pair/vocab.json", &tokenizer), GG_BAD_DATA, "name its folder");
    write_file("pair/merges.txt", "a b c\nab\n", 9);
    CHECK_FAILS(gg_tokenizer_load(pair, &tokenizer), GG_BAD_DATA, "merges.txt: line 1");
    write_file("pair/merges.txt", "ab\n", 3);
    CHECK_FAILS(gg_tokenizer_load(pair, &tokenizer), GG_BAD_DATA, "merges.txt: line 1: not two tokens");
    write_file("pair/vocab.json", "[]", 2);
    CHECK_FAILS(gg_tokenizer_load(pair, &tokenizer), GG_BAD_DATA, "vocab.json: field 'vocab'");
    /* A whole tokenizer.json in the folder goes first. */
    CHECK_FAILS(gg_tokenizer_save(small, "/nowhere/t.json"), GG_STORAGE, "/nowhere/t.json");
    char *whole = path_of("pair/tokenizer.json");
    CHECK_OK(gg_tokenizer_save(small, whole));
    CHECK_OK(gg_tokenizer_load(pair, &tokenizer));
    assert_true(gg_tokenizer_fingerprint(tokenizer) == gg_tokenizer_fingerprint(small));
    gg_tokenizer_destroy(&tokenizer);
    free(whole);
    free(pair);
    free(vocab);
    free(merges);
    json_decref(root);
}

static void parts_are_checked(void **state) {
    (void)state;
    const struct gg_tokenizer_parts good = gg_tokenizer_parts(small);
    struct gg_vocabulary_entry entries[512];
    struct gg_merge merges[64];
    struct gg_tokenizer_parts parts = good;
    parts.entries = entries;
    parts.merges = merges;
    gg_tokenizer *tokenizer;
#define RESET()                                                                                              \
    (memcpy(entries, good.entries, good.entry_count * sizeof *entries),                                      \
     memcpy(merges, good.merges, good.merge_count * sizeof *merges))
    RESET();
    entries[7].length = 0;
    CHECK_FAILS(gg_tokenizer_create(&parts, &tokenizer), GG_BAD_DATA, "no token for the byte");
    RESET();
    entries[good.entry_count - 1].special = false;
    CHECK_FAILS(gg_tokenizer_create(&parts, &tokenizer), GG_BAD_DATA, "no special token");
    RESET();
    merges[2] = merges[1];
    CHECK_FAILS(gg_tokenizer_create(&parts, &tokenizer), GG_BAD_DATA, "merge 2: the pair");
    RESET();
    merges[2].merged = merges[1].merged;
    CHECK_FAILS(gg_tokenizer_create(&parts, &tokenizer), GG_BAD_DATA, "do not make");
    RESET();
    merges[2].left = UINT32_MAX;
    CHECK_FAILS(gg_tokenizer_create(&parts, &tokenizer), GG_BAD_DATA, "id 4294967295 is not");
    RESET();
    entries[5] = entries[6];
    CHECK_FAILS(gg_tokenizer_create(&parts, &tokenizer), GG_BAD_DATA, "ids 5 and 6 are the same");
    /* JSON cannot hold every special token. */
    RESET();
    entries[good.entry_count] = (struct gg_vocabulary_entry){.bytes = "<\xFF>", .length = 3, .special = true};
    parts.entry_count++;
    CHECK_OK(gg_tokenizer_create(&parts, &tokenizer));
    CHECK_FAILS(gg_tokenizer_save(tokenizer, "/tmp/gg-never"), GG_BAD_DATA, "not UTF-8");
    gg_tokenizer_destroy(&tokenizer);
    parts.entry_count--;
    /* Each part counts in the fingerprint. */
    RESET();
    CHECK_OK(gg_tokenizer_create(&parts, &tokenizer));
    assert_true(gg_tokenizer_fingerprint(tokenizer) == gg_tokenizer_fingerprint(small));
    gg_tokenizer_destroy(&tokenizer);
    parts.merge_count--;
    CHECK_OK(gg_tokenizer_create(&parts, &tokenizer));
    assert_true(gg_tokenizer_fingerprint(tokenizer) != gg_tokenizer_fingerprint(small));
    gg_tokenizer_destroy(&tokenizer);
#undef RESET
}

/* Loading damaged bytes gives a tokenizer or a message, whatever they are. */
static void load_damaged(const char *name, const char *text, size_t bytes) {
    gg_tokenizer *tokenizer;
    write_file(name, text, bytes);
    const gg_status status = load(name, &tokenizer);
    if (status == GG_OK) {
        gg_tokenizer_destroy(&tokenizer);
        return;
    }
    assert_int_equal(status, GG_BAD_DATA);
    assert_non_null(strstr(gg_failure(), name));
    assert_null(tokenizer);
}

static void damage(const char *name, const char *text, size_t bytes) {
    enum { CUTS = 60, FLIPS = 500 };
    char *copy = gg_malloc(bytes);
    for (size_t i = 0; i < CUTS; i++)
        load_damaged(name, text, bytes * i / CUTS);
    for (uint64_t i = 0; i < FLIPS; i++) {
        memcpy(copy, text, bytes);
        for (uint64_t j = 0; j <= i % 3; j++)
            copy[gg_random_bits(i, 1, j) % bytes] = (char)gg_random_bits(i, 2, j);
        load_damaged(name, copy, bytes);
    }
    free(copy);
}

/* The small tokenizer's ranks as a .tiktoken file: ids 0 to 255 are single bytes. */
static char *small_ranks(void) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const struct gg_tokenizer_parts parts = gg_tokenizer_parts(small);
    char *text = gg_strdup("");
    for (size_t id = 0; id + 1 < parts.entry_count; id++) {
        char encoded[64];
        size_t length = 0;
        for (uint32_t i = 0; i < parts.entries[id].length; i += 3) {
            uint32_t bits = 0;
            const uint32_t have = parts.entries[id].length - i < 3 ? parts.entries[id].length - i : 3;
            for (uint32_t j = 0; j < 3; j++)
                bits = bits << 8 | (j < have ? (unsigned char)parts.entries[id].bytes[i + j] : 0u);
            for (uint32_t j = 0; j < 4; j++)
                encoded[length++] = j <= have ? digits[bits >> (18 - 6 * j) & 63] : '=';
        }
        encoded[length] = '\0';
        char *longer = gg_format("%s%s %zu\n", text, encoded, id);
        free(text);
        text = longer;
    }
    return text;
}

static void damaged_files(void **state) {
    (void)state;
    size_t bytes;
    char *json = gg_tokenizer_to_json(small, &bytes), *ranks = small_ranks();
    gg_tokenizer *tokenizer;
    damage("damaged.json", json, bytes);
    write_file("whole.tiktoken", ranks, strlen(ranks));
    CHECK_OK(load("whole.tiktoken", &tokenizer));
    assert_true(gg_tokenizer_fingerprint(tokenizer) == gg_tokenizer_fingerprint(small));
    gg_tokenizer_destroy(&tokenizer);
    damage("damaged.tiktoken", ranks, strlen(ranks));
    free(ranks);
    free(json);
}

static int make_small(void **state) {
    (void)state;
    static const char text[] = "the cat the cat then the mat and the hat that the cat had";
    struct gg_word_counts counts = {0};
    size_t consumed;
    const bool made = mkdtemp(folder) != NULL &&
                      gg_word_counts_add(&counts, text, strlen(text), true, &consumed) == GG_OK &&
                      gg_bpe_train(&counts, 265, &small) == GG_OK;
    gg_word_counts_free(&counts);
    return made ? 0 : -1;
}

static int remove_small(void **state) {
    (void)state;
    gg_tokenizer_destroy(&small);
    static const char *const names[] = {"empty",
                                        "kind.json",
                                        "words",
                                        "cut.json",
                                        "double.json",
                                        "ranks",
                                        "damaged.json",
                                        "whole.tiktoken",
                                        "damaged.tiktoken",
                                        "pair/vocab.json",
                                        "pair/merges.txt",
                                        "pair/tokenizer.json",
                                        "pair",
                                        ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = path_of(names[i]);
        (void)remove(path);
        free(path);
    }
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_refused_by_name),
        cmocka_unit_test(other_kinds_are_told_from_damage),
        cmocka_unit_test(added_tokens_and_templates),
        cmocka_unit_test(other_patterns),
        cmocka_unit_test(other_forms),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(a_folder_of_two_files),
        cmocka_unit_test(parts_are_checked),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests(tests, make_small, remove_small);
}
