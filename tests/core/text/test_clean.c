/* Cleaning of text, and the places where text may be cut. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/clean.h"
#include "core/text/normal_form.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const struct gg_clean_rules plain = {0}, replacing = {.replace_invalid = true},
                                   keeping = {.keep_controls = true}, normal = {.nfc = true};

static void cleans_to(const struct gg_clean_rules *rules, const char *from, size_t bytes, const char *to) {
    struct gg_text clean = {0};
    size_t invalid_at;
    CHECK_OK(gg_clean(rules, from, bytes, &clean, &invalid_at));
    CHECK_OK(gg_text_append(&clean, "", 1));
    assert_string_equal(clean.bytes, to);
    gg_text_free(&clean);
}
#define CLEANS_TO(rules, from, to) cleans_to(rules, from, sizeof(from) - 1, to)

static void controls(void **state) {
    (void)state;
    CLEANS_TO(&plain, "", "");
    CLEANS_TO(&plain, "tab\t line\n stay", "tab\t line\n stay");
    CLEANS_TO(&plain, "a\r\nb\rc\r\r\nd\r", "a\nb\nc\n\nd\n");
    CLEANS_TO(&plain,
              "\0a\1b\x1f"
              "c\x7f"
              "d\xc2\x80"
              "e\xc2\x9f"
              "f\xc2\xa0g",
              "abcdef\xc2\xa0g");
    CLEANS_TO(&keeping, "a\r\nb\x01\x7f\xc2\x85", "a\r\nb\x01\x7f\xc2\x85");
}

/* The Unicode Standard's own example (section 3.9, table 3-8) and its neighbours. */
static void invalid_utf8(void **state) {
    (void)state;
#define R "\xEF\xBF\xBD"
    CLEANS_TO(&replacing, "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64",
              "a" R R R "b" R "c" R R "d");
    CLEANS_TO(&replacing, "\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", R R R R R R R R "A");
    CLEANS_TO(&replacing, "\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", R R R R R R R R "A");
    CLEANS_TO(&replacing, "\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", R R R R R "A" R R "B");
    CLEANS_TO(&replacing, "end\xF0\x9F\x99", "end" R);
    CLEANS_TO(&replacing, "\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xF0\x90\x80\x80",
              "\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xF0\x90\x80\x80");
    const char *bad[] = {"ab\xFF", "ab\xC3", "ab\xE2\x82", "ab\xED\xA0\x80", "ab\xC1\xBF", "ab\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gg_text clean = {0};
        size_t invalid_at = 0;
        assert_int_equal(gg_clean(&plain, bad[i], strlen(bad[i]), &clean, &invalid_at), GG_BAD_DATA);
        assert_int_equal(invalid_at, 2);
        gg_text_free(&clean);
    }
}

static void normal_form(void **state) {
    (void)state;
    CLEANS_TO(&normal, "cafe\xCC\x81 x", "caf\xC3\xA9 x");
    CLEANS_TO(&normal, "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"); /* Hangul jamo */
    CLEANS_TO(&normal, "\xE2\x84\xAB", "\xC3\x85");                             /* Angstrom sign */
    CLEANS_TO(&normal, "\xEF\xAC\x81", "\xEF\xAC\x81"); /* a ligature stays: not NFKC */
    CLEANS_TO(&normal, "a\xCC\x81\xCC\xA7", "\xC3\xA1\xCC\xA7");
    CLEANS_TO(&plain, "cafe\xCC\x81", "cafe\xCC\x81");
    /* Around the borders of stretches: marks behind every place near 64 KiB. */
    for (size_t at = 65530; at < 65542; at++) {
        char *text = gg_malloc(70003), *expected = gg_malloc(70003);
        memset(text, 'e', 70000);
        memcpy(text + at, "e\xCC\x81", 3);
        memcpy(expected, text, at);
        memcpy(expected + at, "\xC3\xA9", 2);
        memset(expected + at + 2, 'e', 70000 - at - 3);
        expected[69999] = '\0';
        cleans_to(&normal, text, 70000, expected);
        free(text);
        free(expected);
    }
}

/* Whatever stands behind the first character of a decomposition composes with what is before it: the text is
 * never cut there. */
static void cuts_of_the_normal_form(void **state) {
    (void)state;
    int decomposed = 0;
    for (utf8proc_int32_t code = 0; code < 0x110000; code++) {
        utf8proc_int32_t codes[32];
        int boundary = 0;
        if (!utf8proc_codepoint_valid(code))
            continue;
        const utf8proc_ssize_t count =
            utf8proc_decompose_char(code, codes, 32, UTF8PROC_DECOMPOSE, &boundary);
        char text[200] = "a";
        size_t at = 1 + (size_t)utf8proc_encode_char(codes[0], (utf8proc_uint8_t *)text + 1);
        for (utf8proc_ssize_t i = 1; i < count; i++) {
            const size_t length = (size_t)utf8proc_encode_char(codes[i], (utf8proc_uint8_t *)text + at);
            if (gg_normal_form_cut(text, at + length, at) != at + length ||
                gg_normal_form_last_cut(text, at + length) == at)
                fail_msg("a text is cut before U+%04X, a part of U+%04X", (unsigned)codes[i], (unsigned)code);
            at += length;
            decomposed++;
        }
        if (utf8proc_get_property(code)->combining_class != 0 && gg_normal_form_cut(text, at, 1) == 1 &&
            codes[0] == code)
            fail_msg("a text is cut before the mark U+%04X", (unsigned)code);
    }
    assert_true(decomposed > 11172);
    /* Stray bytes, and a character that is not all there. */
    assert_int_equal(gg_normal_form_cut("a\xFF\xCC\x81z", 5, 1), 1);
    assert_int_equal(gg_normal_form_cut("e\xCC\x81z", 4, 1), 3);
    assert_int_equal(gg_normal_form_last_cut("abc\xE4\xB8", 5), 2);
    assert_int_equal(gg_normal_form_last_cut("abe\xCC\x81\xCC", 6), 2);
    assert_int_equal(gg_normal_form_last_cut("\xCC\x81", 2), 0);
}

/* Cleaning the parts of a text cut at its safe place gives the cleaned text. */
static void safe_cut(void **state) {
    (void)state;
    static const char *const pieces[] = {"a",         "word",         " ", " ", "\n", "\r\n",
                                         "e\xCC\x81", "\xE6\x97\xA5", "1", "."};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct gg_text text = {0};
        const uint64_t count = 1 + gg_random_bits(seed, 1, 0) % 60;
        const uint64_t kinds = 1 + gg_random_bits(seed, 1, 1) % 10;
        for (uint64_t i = 0; i < count; i++) {
            const char *piece = pieces[(gg_random_bits(seed, 2, i) % kinds + seed) % 10];
            CHECK_OK(gg_text_append(&text, piece, strlen(piece)));
        }
        const size_t cut = gg_safe_cut(text.bytes, text.count);
        assert_true(cut >= 1 && cut <= text.count);
        struct gg_text whole = {0}, parts = {0};
        size_t invalid_at;
        CHECK_OK(gg_clean(&plain, text.bytes, text.count, &whole, &invalid_at));
        CHECK_OK(gg_clean(&plain, text.bytes, cut, &parts, &invalid_at));
        CHECK_OK(gg_clean(&plain, text.bytes + cut, text.count - cut, &parts, &invalid_at));
        assert_int_equal(whole.count, parts.count);
        assert_memory_equal(whole.bytes, parts.bytes, whole.count);
        gg_text_free(&whole);
        gg_text_free(&parts);
        gg_text_free(&text);
    }
    assert_int_equal(gg_safe_cut("one two three 4", 15), 7);
    assert_int_equal(gg_safe_cut("one.two\nthree.4", 15), 8);
    assert_int_equal(gg_safe_cut("one.two.\n3three", 15), 8);
    assert_int_equal(gg_safe_cut("\xE6\x97\xA5\xE3\x80\x82\n\xE6\x97\xA5\xE3\x80\x82", 13), 7);
    assert_int_equal(gg_safe_cut("\xE6\x97\xA5\xE3\x80\x80\n\xE6\x97\xA5\xE3\x80\x82", 13), 6); /* U+3000 */
    assert_int_equal(gg_safe_cut("\xE6\x97\xA5\xE6\x97\xA5", 6), 3);
    assert_int_equal(gg_safe_cut("x", 1), 1);
}

static void line_cut(void **state) {
    (void)state;
    const char *text = "first\nsecond\nthird and more\n";
    assert_int_equal(gg_line_cut(text, strlen(text), 15), 13);
    assert_int_equal(gg_line_cut(text, strlen(text), 13), 13);
    assert_int_equal(gg_line_cut(text, strlen(text), 12), 6);
    assert_int_equal(gg_line_cut(text, strlen(text), 3), 6);
    assert_int_equal(gg_line_cut("one line with words\n", 20, 15), 13);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls),    cmocka_unit_test(invalid_utf8),
        cmocka_unit_test(normal_form), cmocka_unit_test(cuts_of_the_normal_form),
        cmocka_unit_test(safe_cut),    cmocka_unit_test(line_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
