/* Documents: the units of a file join to exactly what is in it, whatever its size, separators or packing. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "io/corpus/document_reader.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

static void put(const char *path, const char *data, size_t bytes) {
    FILE *file = fopen(path, "wb");
    assert_true(file != NULL && fwrite(data, 1, bytes, file) == bytes);
    fclose(file);
}

/* Text of random words in lines; with `one_line`, none. */
static struct gg_text random_text(uint64_t seed, size_t bytes, bool one_line) {
    struct gg_text text = {0};
    for (uint64_t i = 0; text.count < bytes; i++) {
        const uint64_t r = gg_random_bits(seed, 0, i);
        char word[12];
        const size_t length = 1 + r % 9;
        for (size_t c = 0; c < length; c++)
            word[c] = (char)('a' + (r >> (8 + 5 * c)) % 26);
        word[length] = r % 11 == 0 && !one_line ? '\n' : ' ';
        CHECK_OK(gg_text_append(&text, word, length + 1));
    }
    return text;
}

/* Reads a file and appends its documents, each ended by \0, a cut within one shown as \1. */
static struct gg_text read_documents(const char *path, const struct gg_document_format *format,
                                     const struct gg_document_cut *cuts, size_t count, size_t *units) {
    struct gg_text found = {0};
    gg_document_reader *reader = NULL;
    CHECK_OK(gg_document_reader_open(path, format, &reader));
    gg_document_reader_cut(reader, cuts, count);
    bool within = false, ended = false;
    int64_t document = -1;
    *units = 0;
    for (bool more = true;;) {
        struct gg_text_unit unit;
        CHECK_OK(gg_document_reader_next(reader, &unit, &more));
        if (!more)
            break;
        assert_true(unit.count > 0 && (unit.json || unit.count <= GG_UNIT_BYTES));
        assert_int_equal(unit.first, !within);
        if (unit.first && !unit.tail) {
            assert_int_equal(unit.document, document + 1);
            if (ended)
                CHECK_OK(gg_text_append(&found, "", 1));
        } else if (unit.first) {
            CHECK_OK(gg_text_append(&found, "\1", 1));
        }
        document = unit.document;
        within = !unit.last;
        ended = true;
        CHECK_OK(gg_text_append(&found, unit.bytes, unit.count));
        ++*units;
    }
    assert_false(within);
    CHECK_OK(gg_text_append(&found, "", 1));
    gg_document_reader_close(&reader);
    return found;
}

static void same(const struct gg_text *a, const char *b, size_t bytes) {
    assert_int_equal(a->count, bytes);
    assert_memory_equal(a->bytes, b, bytes);
}

static void one_document_of_any_size(void **state) {
    (void)state;
    const struct gg_document_format format = {.form = GG_DOCUMENTS_TEXT};
    const size_t unit = GG_UNIT_BYTES,
                 sizes[] = {1, 1000, unit - 10, unit - 1, unit, unit + 1, unit + 2, 2 * unit, 5 * unit + 77};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gg_text text = random_text(i, sizes[i] + 12, i % 2 == 1);
        put("one.txt", text.bytes, sizes[i]);
        size_t units, least = (sizes[i] + unit - 1) / unit;
        struct gg_text found = read_documents("one.txt", &format, NULL, 0, &units);
        text.bytes[sizes[i]] = '\0';
        same(&found, text.bytes, sizes[i] + 1);
        assert_true(units >= least && units <= 2 * least);
        gg_text_free(&found);

        /* A cut comes at a line near, and the text is still whole. */
        const int64_t cut = (int64_t)(0.9 * (double)sizes[i]);
        found = read_documents("one.txt", &format, &(struct gg_document_cut){0, 0, cut}, 1, &units);
        char *mark = memchr(found.bytes, '\1', found.count);
        if (sizes[i] > 1) {
            assert_non_null(mark);
            assert_true(llabs((long long)(mark - found.bytes) - cut) < 300);
            memmove(mark, mark + 1, (size_t)(found.bytes + found.count - mark - 1));
            found.count--;
        }
        same(&found, text.bytes, sizes[i] + 1);
        gg_text_free(&found);
        gg_text_free(&text);
    }
    unlink("one.txt");
}

static void separators(void **state) {
    (void)state;
    const struct {
        const char *separator, *text, *documents;
        size_t bytes;
    } cases[] = {
        {"--", "a\n--\nb\n--\nc", "a\n\0b\n\0c", 8},
        {"--", "--\n--\na\n--\n--\nb\n--\n", "a\n\0b\n", 6},
        {"--", "a--\n--b\n --\n", "a--\n--b\n --\n", 13},
        {"--", "a\r\n--\r\nb", "a\r\n\0b", 6},
        {"--", "a\n--", "a\n", 3},
        {"", "a\nb\n\n\nc\n", "a\nb\n\0c\n", 8},
        {"--", "\xEF\xBB\xBF--\na", "a", 2},
        {"--",
         "\xEF\xBB\xBF"
         "a\n---\nb",
         "a\n---\nb", 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct gg_document_format format = {.form = GG_DOCUMENTS_TEXT, .separator = cases[i].separator};
        put("parts.txt", cases[i].text, strlen(cases[i].text));
        size_t units;
        struct gg_text found = read_documents("parts.txt", &format, NULL, 0, &units);
        same(&found, cases[i].documents, cases[i].bytes);
        gg_text_free(&found);
    }
    unlink("parts.txt");
}

/* Separators around the borders of units and of the buffer, packed with zstd in many frames. */
static void separators_at_borders(void **state) {
    (void)state;
    const struct gg_document_format format = {.form = GG_DOCUMENTS_AUTO, .separator = "=== next ==="};
    for (int shift = -15; shift <= 15; shift += 3) {
        struct gg_text file = {0}, expected = {0};
        for (uint64_t i = 0; i < 5; i++) {
            const size_t bytes = (size_t)((int64_t)(i % 3 + 1) * (int64_t)GG_UNIT_BYTES + shift);
            struct gg_text text = random_text(i, bytes + 12, false);
            text.bytes[bytes - 1] = '\n';
            CHECK_OK(gg_text_append(&file, text.bytes, bytes));
            CHECK_OK(gg_text_append(&file, "=== next ===\n", 13));
            CHECK_OK(gg_text_append(&expected, text.bytes, bytes));
            CHECK_OK(gg_text_append(&expected, "", 1));
            gg_text_free(&text);
        }
        FILE *out = fopen("border.txt", "wb");
        const size_t frame = 3000001, bound = ZSTD_compressBound(frame);
        char *packed = gg_malloc(bound);
        for (size_t i = 0; i < file.count; i += frame) {
            const size_t part = file.count - i < frame ? file.count - i : frame;
            fwrite(packed, 1, ZSTD_compress(packed, bound, file.bytes + i, part, 1), out);
        }
        fclose(out);
        size_t units;
        struct gg_text found = read_documents("border.txt", &format, NULL, 0, &units);
        same(&found, expected.bytes, expected.count);
        free(packed);
        gg_text_free(&found);
        gg_text_free(&file);
        gg_text_free(&expected);
    }
    unlink("border.txt");
}

static void json_lines(void **state) {
    (void)state;
    const struct gg_document_format format = {.form = GG_DOCUMENTS_AUTO};
    struct gg_text file = {0}, expected = {0}, text = random_text(1, 20u << 20, true);
    for (int i = 0; i < 3; i++) {
        /* The middle line is longer than the buffer. */
        CHECK_OK(gg_text_append(&file, "\n{\"text\":\"", 10));
        CHECK_OK(gg_text_append(&file, text.bytes, i == 1 ? text.count : 100));
        CHECK_OK(gg_text_append(&file, i == 2 ? "\"}" : "\"}\n", i == 2 ? 2 : 3));
        CHECK_OK(gg_text_append(&expected, text.bytes, i == 1 ? text.count : 100));
    }
    put("lines.jsonl", file.bytes, file.count);
    gg_document_reader *reader = NULL;
    CHECK_OK(gg_document_reader_open("lines.jsonl", &format, &reader));
    struct gg_text found = {0};
    struct gg_text_unit unit;
    bool more = true;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(gg_document_reader_next(reader, &unit, &more));
        assert_true(more && unit.json && unit.document == i && unit.line == 2 * (i + 1));
        CHECK_OK(gg_json_text("lines.jsonl", &unit, "text", &(struct gg_clean_rules){0}, &found));
    }
    CHECK_OK(gg_document_reader_next(reader, &unit, &more));
    assert_false(more);
    same(&found, expected.bytes, expected.count);
    gg_document_reader_close(&reader);
    gg_text_free(&found);
    gg_text_free(&file);
    gg_text_free(&text);
    gg_text_free(&expected);
    unlink("lines.jsonl");
}

/* A range's reader, told what is before it. */
static gg_document_reader *open_range(const char *path, const struct gg_document_format *format,
                                      int64_t bytes, int64_t begin, int64_t end,
                                      struct gg_range_summary *before) {
    gg_document_reader *reader = NULL;
    struct gg_range_summary summary;
    CHECK_OK(gg_document_range_open(path, format, bytes, begin, end, &reader, &summary));
    gg_document_range_begin(reader, before);
    gg_range_summary_add(before, &summary);
    return reader;
}

/* The units of ranges that make up a file are those of the file. */
static void check_ranges(const char *path, const struct gg_document_format *format,
                         const struct gg_document_cut *cuts, size_t cut_count, int64_t bytes, uint64_t seed,
                         int64_t most) {
    gg_document_reader *whole = NULL, *range = NULL;
    struct gg_range_summary before = {.open = -1};
    struct gg_text_unit expected, unit;
    int64_t end = 0, documents = 0, seen = 0;
    bool more = true, any = false;
    CHECK_OK(gg_document_reader_open(path, format, &whole));
    gg_document_reader_cut(whole, cuts, cut_count);
    for (uint64_t i = 0; end < bytes; i++) {
        const int64_t begin = end;
        end = begin + 4 + (int64_t)(gg_random_bits(seed, 7, i) % (uint64_t)most);
        documents = seen;
        range = open_range(path, format, bytes, begin, end, &before);
        gg_document_reader_cut(range, cuts, cut_count);
        for (;;) {
            CHECK_OK(gg_document_reader_next(range, &unit, &any));
            if (!any)
                break;
            CHECK_OK(gg_document_reader_next(whole, &expected, &more));
            assert_true(more);
            if (unit.offset != expected.offset || unit.count != expected.count)
                fail_msg("%s, seed %d, range %lld: %zu bytes at %lld, expected %zu at %lld", path, (int)seed,
                         (long long)begin, unit.count, (long long)unit.offset, expected.count,
                         (long long)expected.offset);
            assert_memory_equal(unit.bytes, expected.bytes, unit.count);
            assert_true(unit.first == expected.first && unit.last == expected.last);
            assert_true(unit.tail == expected.tail && unit.line == expected.line);
            assert_int_equal(documents + unit.document, expected.document);
            seen = expected.document + 1;
        }
        assert_int_equal(before.documents, seen);
        gg_document_reader_close(&range);
    }
    CHECK_OK(gg_document_reader_next(whole, &unit, &more));
    assert_false(more);
    gg_document_reader_close(&whole);
}

/* Small texts of few different lines in ranges of a few bytes: every border falls everywhere. */
static void ranges_of_small_files(void **state) {
    (void)state;
    static const char *const lines[] = {
        "--\n", "--\r\n", "a\n", "\n", "bcd", "--", "-", " --\n", "\r\n", "efghijklmnop\n", "\xEF\xBB\xBF"};
    const struct gg_document_format formats[] = {{.form = GG_DOCUMENTS_TEXT, .separator = "--"},
                                                 {.form = GG_DOCUMENTS_TEXT, .separator = ""},
                                                 {.form = GG_DOCUMENTS_TEXT},
                                                 {.form = GG_DOCUMENTS_JSONL}};
    for (uint64_t seed = 0; seed < 600; seed++) {
        struct gg_text text = {0};
        const uint64_t count = gg_random_bits(seed, 5, 0) % 30;
        if (seed % 7 == 0)
            CHECK_OK(gg_text_append(&text, "\xEF\xBB\xBF", 3));
        for (uint64_t i = 0; i < count; i++) {
            const char *line = lines[gg_random_bits(seed, 6, i) % (sizeof lines / sizeof *lines)];
            CHECK_OK(gg_text_append(&text, line, strlen(line)));
        }
        put("small", text.bytes, text.count);
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
            check_ranges("small", &formats[f], NULL, 0, (int64_t)text.count, seed, 9);
        gg_text_free(&text);
    }
    unlink("small");
}

/* Documents of several units, cut in two in various places, in ranges that are smaller and larger than units. */
static void ranges_of_long_documents(void **state) {
    (void)state;
    const int64_t step = (int64_t)GG_UNIT_STEP, unit = (int64_t)GG_UNIT_BYTES;
    const int64_t lengths[] = {3 * unit,       40, unit, unit + 1, 2 * step + (int64_t)GG_CUT_BYTES,
                               unit + step + 1};
    struct gg_document_cut cuts[6];
    struct gg_text file = {0};
    for (size_t i = 0; i < 6; i++) {
        struct gg_text text = random_text(i, (size_t)lengths[i] + 12, i == 3);
        text.bytes[lengths[i] - 1] = '\n';
        cuts[i] = (struct gg_document_cut){0, (int64_t)file.count,
                                           i == 1 ? 0 : (int64_t)(0.7 * (double)lengths[i])};
        CHECK_OK(gg_text_append(&file, text.bytes, (size_t)lengths[i]));
        CHECK_OK(gg_text_append(&file, "--\n", 3));
        gg_text_free(&text);
    }
    put("long.txt", file.bytes, file.count);
    const struct gg_document_format split = {.form = GG_DOCUMENTS_TEXT, .separator = "--"},
                                    whole = {.form = GG_DOCUMENTS_TEXT};
    const int64_t bytes = (int64_t)file.count, most[] = {2 * step, step / 3};
    for (uint64_t seed = 0; seed < 2; seed++) {
        check_ranges("long.txt", &split, NULL, 0, bytes, seed, most[seed]);
        check_ranges("long.txt", &split, cuts, 6, bytes, seed, most[seed]);
        /* Where a cut falls: between units, and into what is looked at for the next cut between them. */
        for (int64_t at = step; at <= step + (int64_t)GG_CUT_BYTES; at += (int64_t)GG_CUT_BYTES / 2)
            check_ranges("long.txt", &whole, &(struct gg_document_cut){0, 0, at}, 1, bytes, seed, most[seed]);
    }
    gg_text_free(&file);
    unlink("long.txt");
}

/* A range is a part of the file that was meant. */
static void ranges_of_another_file(void **state) {
    (void)state;
    const struct gg_document_format format = {.form = GG_DOCUMENTS_TEXT};
    gg_document_reader *reader = NULL;
    struct gg_range_summary summary;
    put("one.txt", "text", 4);
    CHECK_FAILS(gg_document_range_open("one.txt", &format, 5, 0, 5, &reader, &summary), GG_STORAGE,
                "one.txt: the ranks do not read the same input");
    CHECK_FAILS(gg_document_range_open("none.txt", &format, 5, 0, 5, &reader, &summary), GG_STORAGE,
                "none.txt");
    unlink("one.txt");
}

static size_t allocated(void) {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* Lines that are refused leave no memory behind. Counted by malloc itself; a sanitizer's counts nothing. */
static void refused_lines_cost_no_memory(void **state) {
    (void)state;
    static const struct {
        const char *end, *message;
    } cases[] = {{"\xFF", "lines.jsonl: invalid UTF-8 at byte 1040000"},
                 {"\xE2\x82", "lines.jsonl: invalid UTF-8 at byte 1040000"},
                 {"!", "lines.jsonl: line 7 (byte 1040000 of the file) is not JSON"},
                 {"\"}", "is not JSON"}};
    enum { BYTES = 1000000 };
    char *line = gg_malloc(BYTES + 8);
    memset(line, 'x', BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(line + BYTES, cases[i].end, strlen(cases[i].end));
        const struct gg_text_unit unit = {
            .bytes = line, .count = BYTES + strlen(cases[i].end), .json = true, .offset = 40000, .line = 7};
        const size_t before = allocated();
        for (int again = 0; again < 5; again++) {
            struct gg_text found = {0};
            CHECK_FAILS(gg_json_text("lines.jsonl", &unit, "text", &(struct gg_clean_rules){0}, &found),
                        GG_BAD_DATA, cases[i].message);
            gg_text_free(&found);
        }
        assert_true(allocated() < before + BYTES);
    }
    free(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_document_of_any_size),     cmocka_unit_test(separators),
        cmocka_unit_test(separators_at_borders),        cmocka_unit_test(json_lines),
        cmocka_unit_test(refused_lines_cost_no_memory), cmocka_unit_test(ranges_of_small_files),
        cmocka_unit_test(ranges_of_long_documents),     cmocka_unit_test(ranges_of_another_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
