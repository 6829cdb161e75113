/* Merging a word, and learning merges, against the plain definitions. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/bpe.h"
#include "core/text/bpe_training.h"
#include "core/text/byte_alphabet.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES = 256 };

/* The definition: again and again the leftmost of the pairs of lowest rank. */
static size_t plain_merge(const struct gg_merge *merges, size_t merge_count, uint32_t *ids, size_t count) {
    for (;;) {
        size_t rank = merge_count, at = 0;
        for (size_t i = 0; i + 1 < count; i++)
            for (size_t r = 0; r < rank; r++)
                if (merges[r].left == ids[i] && merges[r].right == ids[i + 1]) {
                    rank = r;
                    at = i;
                }
        if (rank == merge_count)
            return count;
        ids[at] = merges[rank].merged;
        memmove(ids + at + 1, ids + at + 2, (count - at - 2) * sizeof *ids);
        count--;
    }
}

/* Random merges over 4 letters, their ranks in random order too: a later token may rank before its parts. */
static void merging_a_word(void **state) {
    (void)state;
    enum { MERGES = 40, LETTERS = 4 };
    for (uint64_t round = 0; round < 300; round++) {
        struct gg_merge merges[MERGES];
        struct gg_bpe bpe;
        struct gg_bpe_scratch scratch = {0};
        CHECK_OK(gg_bpe_init(&bpe, MERGES));
        size_t merge_count = 0;
        for (uint64_t i = 0; i < MERGES; i++) {
            const uint64_t bits = gg_random_bits(round, 1, i);
            const struct gg_merge merge = {(uint32_t)bits % (LETTERS + 8),
                                           (uint32_t)(bits >> 32) % (LETTERS + 8),
                                           LETTERS + (uint32_t)merge_count};
            if (gg_bpe_add(&bpe, merge.left, merge.right, merge.merged))
                merges[merge_count++] = merge;
        }
        for (uint64_t word = 0; word < 20; word++) {
            uint32_t ids[400], expected[400];
            size_t count = 1 + gg_random_bits(round, 2, word) % (word % 2 == 0 ? 64 : 400);
            for (size_t i = 0; i < count; i++)
                expected[i] = ids[i] = (uint32_t)gg_random_bits(round, 3 + word, i) % LETTERS;
            const size_t expected_count = plain_merge(merges, merge_count, expected, count);
            CHECK_OK(gg_bpe_merge(&bpe, &scratch, ids, &count));
            assert_int_equal(count, expected_count);
            assert_memory_equal(ids, expected, count * sizeof *ids);
        }
        gg_bpe_scratch_free(&scratch);
        gg_bpe_free(&bpe);
    }
}

static void a_pair_has_one_merge(void **state) {
    (void)state;
    struct gg_bpe bpe;
    CHECK_OK(gg_bpe_init(&bpe, 2));
    assert_true(gg_bpe_add(&bpe, 1, 2, 3));
    assert_false(gg_bpe_add(&bpe, 1, 2, 4));
    assert_true(gg_bpe_add(&bpe, 2, 1, 4));
    gg_bpe_free(&bpe);
}

static void byte_alphabet(void **state) {
    (void)state;
    char all[BYTES], text[2 * BYTES], back[2 * BYTES];
    bool seen[BYTES] = {false};
    for (size_t i = 0; i < BYTES; i++) {
        all[i] = (char)gg_alphabet_byte(i);
        seen[(unsigned char)all[i]] = true;
    }
    for (size_t i = 0; i < BYTES; i++)
        assert_true(seen[i]);
    size_t length = gg_alphabet_encode(all, BYTES, text), count;
    assert_true(gg_alphabet_decode(text, length, back, &count));
    assert_int_equal(count, BYTES);
    assert_memory_equal(all, back, BYTES);
    length = gg_alphabet_encode(" \n", 2, text);
    assert_int_equal(length, 4);
    assert_memory_equal(text, "\xC4\xA0\xC4\x8A", 4); /* U+0120, U+010A */
    assert_false(gg_alphabet_decode(" ", 1, back, &count));
    assert_false(gg_alphabet_decode("\xC4", 1, back, &count));
    assert_false(gg_alphabet_decode("\xC5\x84", 2, back, &count)); /* U+0144: one too far */
    assert_false(gg_alphabet_decode("\xC2\xAD", 2, back, &count)); /* soft hyphen: not its own stand-in */
}

static gg_tokenizer *train(const char *text, size_t bytes, int64_t vocab) {
    struct gg_word_counts counts = {0};
    size_t consumed;
    gg_tokenizer *tokenizer;
    CHECK_OK(gg_word_counts_add(&counts, text, bytes, true, &consumed));
    assert_int_equal(consumed, bytes);
    CHECK_OK(gg_bpe_train(&counts, vocab, &tokenizer));
    gg_word_counts_free(&counts);
    return tokenizer;
}

/* The definition, on words of letters with spaces between: count every pair of neighbours anew for each
 * merge. */
static void plain_training(const char *text, size_t bytes, const gg_tokenizer *trained) {
    const struct gg_tokenizer_parts parts = gg_tokenizer_parts(trained);
    uint32_t *ids = gg_malloc(bytes * sizeof *ids);
    bool *begins = gg_calloc(bytes + 1, 1); /* a word begins here */
    for (size_t i = 0; i < bytes; i++) {
        for (uint32_t id = 0; id < BYTES; id++)
            if (gg_alphabet_byte(id) == (unsigned char)text[i])
                ids[i] = id;
        begins[i] = i == 0 || text[i] == ' ';
    }
    size_t count = bytes, rank = 0;
    for (;; rank++) {
        int64_t best = 1;
        struct gg_merge merge = {0};
        for (size_t i = 0; i + 1 < count; i++) {
            int64_t same = 0;
            for (size_t j = 0; j + 1 < count && !begins[i + 1]; j++)
                same += !begins[j + 1] && ids[j] == ids[i] && ids[j + 1] == ids[i + 1];
            const bool first = ids[i] != merge.left ? ids[i] < merge.left : ids[i + 1] < merge.right;
            if (same > best || (same == best && best > 1 && first)) {
                best = same;
                merge.left = ids[i];
                merge.right = ids[i + 1];
            }
        }
        if (best < 2)
            break;
        assert_true(rank < parts.merge_count);
        assert_int_equal(parts.merges[rank].left, merge.left);
        assert_int_equal(parts.merges[rank].right, merge.right);
        size_t kept = 0;
        for (size_t i = 0; i < count; i++, kept++) {
            const bool merges =
                i + 1 < count && !begins[i + 1] && ids[i] == merge.left && ids[i + 1] == merge.right;
            begins[kept] = begins[i];
            ids[kept] = merges ? parts.merges[rank].merged : ids[i];
            i += merges;
        }
        count = kept;
    }
    assert_int_equal(rank, parts.merge_count);
    free(begins);
    free(ids);
}

static void training_is_what_the_definition_says(void **state) {
    (void)state;
    for (uint64_t round = 0; round < 60; round++) {
        char text[220];
        const size_t bytes = 60 + gg_random_bits(round, 1, 0) % 160;
        for (size_t i = 0; i < bytes; i++)
            text[i] = "aaabbc  "[gg_random_bits(round, 2, i) % (round % 3 == 0 ? 2 : 7)];
        for (size_t i = 0; i < bytes; i++) /* runs of spaces are cut by another rule */
            if (text[i] == ' ' && (i + 1 == bytes || i == 0 || text[i - 1] == ' '))
                text[i] = 'a';
        gg_tokenizer *tokenizer = train(text, bytes, 5000);
        plain_training(text, bytes, tokenizer);
        gg_tokenizer_destroy(&tokenizer);
    }
}

/* The order of the words changes nothing, nor how the text is cut into parts. */
static void training_is_deterministic(void **state) {
    (void)state;
    static const char text[] = "x the cat sat on the mat the end of that thing";
    static const char other[] = "x thing that of end the mat the on sat cat the";
    gg_tokenizer *tokenizers[3] = {train(text, strlen(text), 300), train(other, strlen(other), 300), NULL};
    struct gg_word_counts counts = {0};
    size_t at = 0, consumed;
    for (size_t end = 1; at < strlen(text); end += end < strlen(text)) {
        CHECK_OK(gg_word_counts_add(&counts, text + at, end - at, end == strlen(text), &consumed));
        at += consumed;
    }
    CHECK_OK(gg_bpe_train(&counts, 300, &tokenizers[2]));
    assert_true(gg_tokenizer_parts(tokenizers[0]).merge_count > 3);
    for (int i = 1; i < 3; i++)
        assert_true(gg_tokenizer_fingerprint(tokenizers[i]) == gg_tokenizer_fingerprint(tokenizers[0]));
    for (int i = 0; i < 3; i++)
        gg_tokenizer_destroy(&tokenizers[i]);
    gg_word_counts_free(&counts);
}

static void sizes_of_vocabularies(void **state) {
    (void)state;
    struct gg_word_counts counts = {0};
    gg_tokenizer *tokenizer;
    CHECK_FAILS(gg_bpe_train(&counts, 256, &tokenizer), GG_USAGE, "from 257");
    assert_null(tokenizer);
    CHECK_FAILS(gg_bpe_train(&counts, INT64_MAX, &tokenizer), GG_USAGE, "from 257");
    tokenizer = train("ab ab ab", 8, 257);
    assert_int_equal(gg_tokenizer_vocab(tokenizer), 257);
    assert_int_equal(gg_tokenizer_end_of_text(tokenizer), 256);
    gg_tokenizer_destroy(&tokenizer);
    tokenizer = train("ab ab ab", 8, 259);
    assert_int_equal(gg_tokenizer_vocab(tokenizer), 259);
    gg_tokenizer_destroy(&tokenizer);
    tokenizer = train("ab ab ab", 8, 1000); /* "ab" and " ab" are all there is */
    assert_int_equal(gg_tokenizer_vocab(tokenizer), 259);
    gg_tokenizer_destroy(&tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_a_word),
        cmocka_unit_test(a_pair_has_one_merge),
        cmocka_unit_test(byte_alphabet),
        cmocka_unit_test(training_is_what_the_definition_says),
        cmocka_unit_test(training_is_deterministic),
        cmocka_unit_test(sizes_of_vocabularies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
