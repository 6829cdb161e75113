/* Text in blocks: encoded by parts of any size it gives the ids of the whole, and what cannot be cut is
 * refused. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/bpe_training.h"
#include "io/base/file.h"
#include "io/corpus/text_window.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/gg-window-XXXXXX";
static gg_tokenizer *tokenizer;

static void encode_in_blocks(size_t block_bytes, bool special, struct gg_ids *ids) {
    gg_encoder *encoder;
    struct gg_text_window window;
    size_t consumed = 0;
    CHECK_OK(gg_encoder_create(tokenizer, &encoder));
    CHECK_OK(gg_text_window_open(&window, path, block_bytes, false));
    do {
        CHECK_OK(gg_text_window_next(&window, consumed));
        CHECK_OK(gg_encode_part(encoder, window.text, window.bytes, window.last, special, ids, &consumed));
    } while (!window.last);
    assert_int_equal(consumed, window.bytes);
    gg_text_window_close(&window);
    gg_encoder_destroy(&encoder);
}

static void blocks_give_the_ids_of_the_whole(void **state) {
    (void)state;
    static const char *const pieces[] = {"the ",
                                         "cat",
                                         " ",
                                         "\n",
                                         "  ",
                                         "'re",
                                         "'ll",
                                         "\xC3\xA9",
                                         "\xE2\x80\x83",
                                         "\xF0\x9F\x98\x80",
                                         "\xFF",
                                         "123",
                                         GG_END_OF_TEXT,
                                         "<|end",
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    enum { PIECES = sizeof pieces / sizeof *pieces, MOST = 8192 };
    for (uint64_t round = 0; round < 40; round++) {
        char text[MOST];
        size_t bytes = 0;
        for (uint64_t i = 0; i < 100; i++) {
            const char *piece = pieces[gg_random_bits(round, 1, i) % PIECES];
            memcpy(text + bytes, piece, strlen(piece));
            bytes += strlen(piece);
        }
        CHECK_OK(gg_file_write(path, text, bytes));
        for (int special = 0; special < 2; special++) {
            gg_encoder *encoder;
            struct gg_ids whole = {0};
            CHECK_OK(gg_encoder_create(tokenizer, &encoder));
            CHECK_OK(gg_encode(encoder, text, bytes, special, &whole));
            for (size_t block = 1; block < 200; block += 1 + block / 3) {
                struct gg_ids ids = {0};
                encode_in_blocks(block, special, &ids);
                assert_int_equal(ids.count, whole.count);
                assert_memory_equal(ids.items, whole.items, ids.count * sizeof *ids.items);
                gg_ids_free(&ids);
            }
            gg_ids_free(&whole);
            gg_encoder_destroy(&encoder);
        }
    }
}

static void an_empty_file_is_an_empty_text(void **state) {
    (void)state;
    struct gg_ids ids = {0};
    CHECK_OK(gg_file_write(path, "", 0));
    encode_in_blocks(16, true, &ids);
    assert_int_equal(ids.count, 0);
    gg_ids_free(&ids);
}

/* A file that is one word, larger than the window may grow: refused with the word's place. */
static void an_endless_word_is_refused(void **state) {
    (void)state;
    CHECK_OK(gg_file_write(path, "two words", 9));
    assert_int_equal(truncate(path, 1 << 30), 0); /* zero bytes, one character class: no word ends in them */
    gg_encoder *encoder;
    struct gg_text_window window;
    struct gg_ids ids = {0};
    size_t consumed = 0;
    gg_status status;
    CHECK_OK(gg_encoder_create(tokenizer, &encoder));
    CHECK_OK(gg_text_window_open(&window, path, 4096, false));
    do {
        status = gg_text_window_next(&window, consumed);
        if (status == GG_OK)
            status = gg_encode_part(encoder, window.text, window.bytes, window.last, false, &ids, &consumed);
    } while (status == GG_OK && !window.last);
    CHECK_FAILS(status, GG_BAD_DATA, "byte 9: a word");
    assert_non_null(strstr(gg_failure(), path));
    assert_true(window.capacity <= (size_t)32 << 20);
    gg_text_window_close(&window);
    gg_ids_free(&ids);
    gg_encoder_destroy(&encoder);
}

static void files_that_cannot_be_read(void **state) {
    (void)state;
    struct gg_text_window window;
    CHECK_FAILS(gg_text_window_open(&window, "/nowhere/text", 16, false), GG_STORAGE, "/nowhere/text");
    CHECK_OK(gg_text_window_open(&window, "/", 16, false));
    CHECK_FAILS(gg_text_window_next(&window, 0), GG_STORAGE, "cannot be read");
    gg_text_window_close(&window);
}

static int set_up(void **state) {
    (void)state;
    static const char text[] =
        "the cat the cat then they're and we'll aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa the end";
    struct gg_word_counts counts = {0};
    size_t consumed;
    const int file = mkstemp(path);
    if (file >= 0)
        close(file);
    const bool made = file >= 0 &&
                      gg_word_counts_add(&counts, text, strlen(text), true, &consumed) == GG_OK &&
                      gg_bpe_train(&counts, 280, &tokenizer) == GG_OK;
    gg_word_counts_free(&counts);
    return made ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    gg_tokenizer_destroy(&tokenizer);
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_give_the_ids_of_the_whole),
        cmocka_unit_test(an_empty_file_is_an_empty_text),
        cmocka_unit_test(an_endless_word_is_refused),
        cmocka_unit_test(files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
