/* The hand-written scanner of GPT-2's pattern against PCRE2, other patterns, and both when text comes in
 * parts. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/gpt2_scanner.h"
#include "core/text/pretokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* GPT-2's pattern with white space spelled as Unicode's property: PCRE2's own \s has U+180E too. */
#define ORACLE_PATTERN                                                                                       \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+|"                        \
    "\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+"

/* The pattern of cl100k_base (openai/tiktoken). */
#define PATTERN_CL100K                                                                                       \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" \
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

enum { MOST = 4096 };

static pcre2_code *oracle;
static pcre2_match_data *match;

static size_t oracle_word_end(const char *text, size_t begin, size_t end) {
    const int found =
        pcre2_match(oracle, (PCRE2_SPTR)text, end, begin, PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, match, NULL);
    assert_true(found > 0);
    return pcre2_get_ovector_pointer(match)[1];
}

static void compare_with_oracle(const char *text, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        const size_t expected = oracle_word_end(text, at, bytes);
        const size_t end = gg_gpt2_word_end(text, at, bytes, true);
        if (end != expected)
            fail_msg("the word at byte %zu ends at %zu, PCRE2 says %zu: %.60s", at, end, expected, text + at);
        at = end;
    }
}

/* A code point that both libraries' Unicode versions know. */
static bool is_common(uint32_t code) {
    static pcre2_code *unassigned;
    if (unassigned == NULL) {
        int error;
        size_t offset;
        unassigned = pcre2_compile((PCRE2_SPTR) "\\p{Cn}", 6, PCRE2_UTF, &error, &offset, NULL);
        assert_non_null(unassigned);
    }
    char text[4];
    const size_t length = gg_utf8_encode(code, text);
    return utf8proc_category((utf8proc_int32_t)code) != UTF8PROC_CATEGORY_CN &&
           pcre2_match(unassigned, (PCRE2_SPTR)text, length, 0, 0, match, NULL) < 0;
}

static bool is_surrogate(uint32_t code) {
    return code >= 0xD800 && code < 0xE000;
}

/* Every character beside a letter, a number, a space, another character and itself. */
static void every_character(void **state) {
    (void)state;
    char text[MOST];
    size_t length = 0, tested = 0;
    for (uint32_t code = 0; code < 0x110000; code++) {
        if (is_surrogate(code) || !is_common(code))
            continue;
        static const char around[] = "a1 # \n";
        for (size_t i = 0; i < sizeof around; i++) {
            length += gg_utf8_encode(code, text + length);
            if (i + 1 < sizeof around)
                text[length++] = around[i];
        }
        tested++;
        if (length > MOST - 64 || code == 0x10FFFF) {
            compare_with_oracle(text, length);
            length = 0;
        }
    }
    compare_with_oracle(text, length);
    assert_true(tested > 250000);
}

/* Appends a random character of one of several kinds; returns its length. */
static size_t random_character(uint64_t bits, char *text) {
    static const uint32_t kinds[][2] = {{0x20, 1},    {0x20, 1},    {'a', 26},     {'0', 10},
                                        {'\'', 1},    {0x09, 5},    {0xA0, 0x60},  {0x2000, 0x30},
                                        {0x370, 400}, {0x3000, 3},  {0x4E00, 999}, {0x1F600, 64},
                                        {0, 128},     {0, 0x110000}};
    const uint32_t *kind = kinds[bits % (sizeof kinds / sizeof *kinds)];
    if ((bits >> 8) % 16 == 0) {
        static const char contractions[][4] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'r"};
        const char *chosen = contractions[(bits >> 16) % 8];
        memcpy(text, chosen, strlen(chosen));
        return strlen(chosen);
    }
    const uint32_t code = kind[0] + (uint32_t)(bits >> 32) % kind[1];
    return gg_utf8_encode(is_surrogate(code) || !is_common(code) ? 'x' : code, text);
}

static size_t random_text(uint64_t seed, size_t characters, char *text) {
    size_t length = 0;
    for (size_t i = 0; i < characters; i++)
        length += random_character(gg_random_bits(seed, 1, i), text + length);
    return length;
}

static void random_unicode(void **state) {
    (void)state;
    char text[MOST];
    for (uint64_t round = 0; round < 4000; round++)
        compare_with_oracle(text, random_text(round, 1 + round % 200, text));
}

/* Shows `text` as PCRE2 can see it: each byte that is not UTF-8, and each character that only one library
 * knows, as U+FFFD. Such a character's first byte is kept in `text`, the rest is taken out: a stray byte it
 * becomes. origin [out] where in `text` each byte of `shown` comes from Returns the number of stray bytes. */
static size_t show(char *text, size_t *length, char *shown, size_t *shown_length, size_t *origin) {
    size_t stray = 0;
    *shown_length = 0;
    for (size_t at = 0; at < *length; at++) {
        uint32_t code;
        size_t size = gg_utf8_decode(text + at, *length - at, &code);
        if (size == 0 || !is_common(code)) {
            if (size > 1) {
                memmove(text + at + 1, text + at + size, *length - at - size);
                *length -= size - 1;
                text[at] = (char)0xFF;
            }
            size = 1;
            code = 0xFFFD;
            stray++;
        }
        const size_t shown_size = gg_utf8_encode(code, shown + *shown_length);
        for (size_t i = 0; i < shown_size; i++)
            origin[(*shown_length)++] = at;
        at += size - 1;
    }
    origin[*shown_length] = *length;
    return stray;
}

/* Bytes that are not UTF-8 are scanned as characters that are no letter, number or space. */
static void invalid_bytes(void **state) {
    (void)state;
    enum { ROUND_CHARACTERS = 150 };
    char text[MOST], shown[3 * MOST];
    size_t origin[3 * MOST + 1], stray = 0;
    for (uint64_t round = 0; round < 3000; round++) {
        size_t length = random_text(round, ROUND_CHARACTERS, text), shown_length;
        for (size_t i = 0; i < length; i++)
            if (gg_random_bits(round, 2, i) % 8 == 0)
                text[i] = (char)gg_random_bits(round, 3, i);
        stray += show(text, &length, shown, &shown_length, origin);
        for (size_t at = 0, shown_at = 0; at < length;) {
            shown_at = oracle_word_end(shown, shown_at, shown_length);
            at = gg_gpt2_word_end(text, at, length, true);
            assert_int_equal(at, origin[shown_at]);
        }
    }
    assert_true(stray > 10000);
}

/* The words' ends of a text given in parts of `step` bytes. */
static size_t words_in_parts(gg_word_scanner *scanner, const char *text, size_t bytes, size_t step,
                             size_t *ends) {
    size_t count = 0, begin = 0, end = 0;
    while (begin < bytes) {
        end = end + step < bytes ? end + step : bytes;
        char *copy = gg_malloc(end - begin); /* its own memory: a read past its end shows in the sanitizer */
        memcpy(copy, text + begin, end - begin);
        gg_word_scanner_reset(scanner);
        size_t at = 0;
        for (size_t word_end = 0; at < end - begin; at = word_end) {
            CHECK_OK(gg_word_end(scanner, copy, at, end - begin, end == bytes, &word_end));
            if (word_end == at)
                break;
            ends[count++] = begin + word_end;
        }
        free(copy);
        begin += at;
    }
    return count;
}

static void parts_give_the_same_words(void **state) {
    (void)state;
    static const char *const patterns[] = {GG_PATTERN_GPT2, ORACLE_PATTERN, PATTERN_CL100K, "[a-z]+",
                                           "x\\s*y|z"};
    size_t whole[MOST], parts[MOST];
    char text[MOST];
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        gg_pretokenizer *pretokenizer;
        gg_word_scanner *scanner;
        CHECK_OK(gg_pretokenizer_create(patterns[p], &pretokenizer));
        CHECK_OK(gg_word_scanner_create(pretokenizer, &scanner));
        for (uint64_t round = 0; round < 300; round++) {
            const size_t length = random_text(round, 120, text);
            for (size_t i = 0; i < length && round % 2 == 1; i++)
                if (gg_random_bits(round, 2, i) % 16 == 0)
                    text[i] = (char)gg_random_bits(round, 3, i);
            const size_t count = words_in_parts(scanner, text, length, length, whole);
            assert_int_equal(whole[count - 1], length);
            for (size_t step = 1; step < 40; step += 1 + step / 4) {
                assert_int_equal(words_in_parts(scanner, text, length, step, parts), count);
                assert_memory_equal(whole, parts, count * sizeof *whole);
            }
        }
        gg_word_scanner_destroy(&scanner);
        gg_pretokenizer_destroy(&pretokenizer);
    }
}

/* GPT-2's pattern through PCRE2, recognised or not, gives the same words on text that is UTF-8. */
static void pcre2_path_agrees_with_the_scanner(void **state) {
    (void)state;
    gg_pretokenizer *pretokenizer;
    gg_word_scanner *scanner;
    char text[MOST];
    CHECK_OK(gg_pretokenizer_create("(?:" GG_PATTERN_GPT2 ")", &pretokenizer));
    CHECK_OK(gg_word_scanner_create(pretokenizer, &scanner));
    for (uint64_t round = 0; round < 500; round++) {
        const size_t length = random_text(round, 200, text);
        gg_word_scanner_reset(scanner);
        for (size_t at = 0, end; at < length; at = end) {
            CHECK_OK(gg_word_end(scanner, text, at, length, true, &end));
            assert_int_equal(end, gg_gpt2_word_end(text, at, length, true));
        }
    }
    gg_word_scanner_destroy(&scanner);
    gg_pretokenizer_destroy(&pretokenizer);
}

static void patterns_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *message;
    } cases[] = {
        {"(", "does not compile"},       {"\\p{Nonsense}", "does not compile"},
        {"^a", "the anchor ^"},          {"\\Aa", "the escape \\A"},
        {"a\\b", "the escape \\b"},      {"(?<=a)b", "looks at text before"},
        {"[a-z&&[^b]]", "intersection"}, {"\\h+", "the escape \\h"},
        {"a\\", "the escape"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gg_pretokenizer *pretokenizer;
        CHECK_FAILS(gg_pretokenizer_create(cases[i].pattern, &pretokenizer), GG_BAD_DATA, cases[i].message);
        assert_null(pretokenizer);
    }
}

int main(void) {
    int error;
    size_t offset;
    oracle = pcre2_compile((PCRE2_SPTR)ORACLE_PATTERN, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &error,
                           &offset, NULL);
    if (oracle == NULL || pcre2_jit_compile(oracle, PCRE2_JIT_COMPLETE) != 0)
        return 1;
    match = pcre2_match_data_create_from_pattern(oracle, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character),
        cmocka_unit_test(random_unicode),
        cmocka_unit_test(invalid_bytes),
        cmocka_unit_test(parts_give_the_same_words),
        cmocka_unit_test(pcre2_path_agrees_with_the_scanner),
        cmocka_unit_test(patterns_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
