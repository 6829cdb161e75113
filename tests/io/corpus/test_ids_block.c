/* Blocks of ids: every way to cut a file into blocks gives the same records, and what is wrong is named by its place. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/corpus/ids_block.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char path[] = "test_ids_block.ids";

static void write_raw(int width, const uint32_t *ids, size_t count) {
    unsigned char *bytes = gg_malloc(count * (size_t)width + 1);
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < width; k++)
            bytes[i * (size_t)width + (size_t)k] = (unsigned char)(ids[i] >> (8 * k));
    CHECK_OK(gg_file_write(path, bytes, count * (size_t)width));
    free(bytes);
}

/* All records of the file, read in blocks of `step` bytes. */
static gg_status take_all(const struct gg_ids_format *format, const struct gg_ids_cut *cuts, size_t cut_count,
                          int64_t step, double tail, struct gg_text_batch *batch) {
    struct gg_ids_block block = {.format = format,
                                 .cuts = cuts,
                                 .cut_count = cut_count,
                                 .path = path,
                                 .file = 1,
                                 .file_bytes = gg_file_size(path)};
    struct gg_ids_place place = {.documents = 10, .open = -1};
    gg_status status = GG_OK;
    *batch = (struct gg_text_batch){0};
    for (int64_t at = 0; at < block.file_bytes && status == GG_OK; at += step) {
        block.begin = at;
        block.end = at + step < block.file_bytes ? at + step : block.file_bytes;
        status = gg_ids_block_read(&block);
        if (status == GG_OK)
            status = gg_ids_block_take(&block, &place, tail, batch);
        gg_ids_place_add(&place, &block);
    }
    gg_ids_block_free(&block);
    return status;
}

/* Checks the records against "document flags tokens..." of each, and the flags' letters. */
static void check_records(const struct gg_text_batch *batch, const char *const *expected, size_t count) {
    const uint32_t *ids = batch->ids.items;
    for (size_t i = 0; i < batch->count; i++) {
        const struct gg_text_record *r = &batch->records[i];
        char *text = gg_format("%lld %s%s%s", (long long)r->document, r->flags & GG_RECORD_FIRST ? "F" : "",
                               r->flags & GG_RECORD_LAST ? "L" : "", r->flags & GG_RECORD_TAIL ? "T" : "");
        for (int64_t t = 0; t < r->tokens; t++) {
            char *longer = gg_format("%s %u", text, *ids++);
            free(text);
            text = longer;
        }
        if (i < count)
            assert_string_equal(text, expected[i]);
        free(text);
    }
    assert_int_equal(batch->count, count);
}

/* Documents of one id and of several, empty ones, one cut in two for validation, and one that is not ended. */
static void raw_in_any_blocks(void **state) {
    (void)state;
    static const uint32_t ids[] = {5, 6, 9, 9, 7, 9, 1, 2, 3, 4, 9, 8, 8};
    static const struct gg_ids_cut cuts[] = {{0, 2}, {1, 8}, {1, 12}, {2, 1}};
    static const char *const expected[] = {"10 FL 5 6 9",  "12 FL 7 9", "13 FL 1 2 9",
                                           "13 FLT 3 4 9", "14 FL 8 9", "14 FLT 8 9"};
    for (int form = GG_IDS_UINT16; form <= GG_IDS_UINT32; form++) {
        const struct gg_ids_format format = {.form = (enum gg_ids_form)form, .vocab = 10, .end_id = 9};
        const int width = gg_ids_width(format.form);
        write_raw(width, ids, sizeof ids / sizeof *ids);
        for (int64_t step = 1; step <= 14; step++) {
            struct gg_text_batch batch;
            CHECK_OK(take_all(&format, cuts, 4, step * width, 0, &batch));
            check_records(&batch, expected, 6);
            gg_text_batch_free(&batch);
        }
    }
    unlink(path);
}

/* Without an end id nothing is put behind a document; one above a record's length is cut at its own multiples. */
static void long_raw_document(void **state) {
    (void)state;
    const size_t count = 2 * GG_IDS_PIECE + 7;
    uint32_t *ids = gg_malloc(count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = (uint32_t)(i * 2654435761u % 70000);
    write_raw(4, ids, count);
    static const int64_t steps[] = {4 * GG_IDS_PIECE, 4 * 700001, 4 * 65536};
    const struct gg_ids_format format = {.form = GG_IDS_UINT32, .vocab = 70000, .end_id = -1};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        struct gg_text_batch batch;
        CHECK_OK(take_all(&format, NULL, 0, steps[s], 0, &batch));
        assert_int_equal(batch.count, 3);
        assert_int_equal(batch.records[0].tokens, GG_IDS_PIECE);
        assert_int_equal(batch.records[0].flags, GG_RECORD_FIRST);
        assert_int_equal(batch.records[1].flags, 0);
        assert_int_equal(batch.records[2].tokens, 7);
        assert_int_equal(batch.records[2].flags, GG_RECORD_LAST);
        assert_int_equal(batch.ids.count, count);
        assert_memory_equal(batch.ids.items, ids, count * sizeof *ids);
        gg_text_batch_free(&batch);
    }
    free(ids);
    unlink(path);
}

static void lines_in_any_blocks(void **state) {
    (void)state;
    static const char text[] =
        "[1, 2]\n\n  \r\n{\"ids\": [3], \"n\": \"[4]\"}\r\n[]\n[4, 9]\n{\"ids\":[5,6,7,8,0]}";
    static const char *const whole[] = {"10 FL 1 2 9", "11 FL 3 9", "13 FL 4 9", "14 FL 5 6 7 8 0 9"};
    static const char *const tails[] = {"10 FL 1 9", "10 FLT 2 9",  "11 FL 3 9",
                                        "13 FL 4 9", "14 FL 5 6 9", "14 FLT 7 8 0 9"};
    const struct gg_ids_format format = {.form = GG_IDS_JSONL, .field = "ids", .vocab = 10, .end_id = 9};
    CHECK_OK(gg_file_write(path, text, sizeof text - 1));
    for (int64_t step = 1; step <= (int64_t)sizeof text; step++) {
        struct gg_text_batch batch;
        CHECK_OK(take_all(&format, NULL, 0, step, 0, &batch));
        check_records(&batch, whole, 4);
        gg_text_batch_free(&batch);
        CHECK_OK(take_all(&format, NULL, 0, step, 0.5, &batch));
        check_records(&batch, tails, 6);
        gg_text_batch_free(&batch);
    }
    unlink(path);
}

static void wrong_lines(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[1]\n\n[1, 10]\n",
         "test_ids_block.ids: line 3: id 2 of the list is 10, and --vocab 10 has ids from 0 to 9"},
        {"[-1]\n", "line 1: id 1 of the list is -1"},
        {"[1, 2.5]\n", "line 1: value 2 of the list is no id"},
        {"[1, \"2\"]\n", "line 1: value 2 of the list is no id"},
        {"[1]\n[2\n", "line 2: not JSON"},
        {"[1]\n{\"text\": \"a\"}\n", "line 2: neither a list of ids nor an object with one under \"ids\""},
        {"7\n", "line 1: "},
        {"[99999999999999999999]\n", "line 1: not JSON"},
        {"[1] [2]\n", "line 1: not JSON"},
    };
    const struct gg_ids_format format = {.form = GG_IDS_JSONL, .field = "ids", .vocab = 10, .end_id = -1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t step = 2; step <= 64; step += 31) {
            struct gg_text_batch batch;
            CHECK_OK(gg_file_write(path, cases[i].text, strlen(cases[i].text)));
            CHECK_FAILS(take_all(&format, NULL, 0, step, 0, &batch), GG_BAD_DATA, cases[i].message);
            gg_text_batch_free(&batch);
        }
    unlink(path);
}

static void wrong_raw(void **state) {
    (void)state;
    static const uint32_t ids[] = {1, 2, 3, 10, 4};
    struct gg_ids_format format = {.form = GG_IDS_UINT16, .vocab = 10, .end_id = -1};
    struct gg_text_batch batch;
    write_raw(2, ids, 5);
    CHECK_FAILS(
        take_all(&format, NULL, 0, 4, 0, &batch), GG_BAD_DATA,
        "test_ids_block.ids: the id at byte 6 is 10, and --vocab 10 has ids below that; is the file uint16");
    gg_text_batch_free(&batch);
    format.vocab = 11;
    CHECK_OK(take_all(&format, NULL, 0, 4, 0, &batch));
    gg_text_batch_free(&batch);

    struct gg_ids_block block = {.format = &format, .path = path, .file_bytes = 12, .end = 12};
    CHECK_FAILS(gg_ids_block_read(&block), GG_STORAGE, "the ranks do not read the same input");
    unlink(path);
    CHECK_FAILS(gg_ids_block_read(&block), GG_STORAGE, "test_ids_block.ids: ");
    gg_ids_block_free(&block);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_in_any_blocks),   cmocka_unit_test(long_raw_document),
        cmocka_unit_test(lines_in_any_blocks), cmocka_unit_test(wrong_lines),
        cmocka_unit_test(wrong_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
