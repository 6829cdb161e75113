/* MinHash beside the resemblance that a plain count of runs of words gives, and what the bands find. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/minhash.h"
#include "core/text/near_index.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 5, BANDS = 20, ROWS = 6, HASHES = BANDS * ROWS, LENGTH = 300 };

/* A text as numbers of words, and its runs by plain comparison. */
struct text {
    int words[LENGTH];
    int count;
};

static bool same_run(const struct text *a, int i, const struct text *b, int j) {
    return memcmp(a->words + i, b->words + j, WORDS * sizeof(int)) == 0;
}

static bool has_run(const struct text *a, int before, const struct text *b, int run) {
    for (int i = 0; i < before; i++)
        if (same_run(a, i, b, run))
            return true;
    return false;
}

static int runs(const struct text *a) {
    return a->count - WORDS + 1;
}

/* |A and B| / |A or B| */
static double resemblance(const struct text *a, const struct text *b) {
    int only_b = 0, both = 0, of_a = 0;
    for (int i = 0; i < runs(a); i++)
        of_a += !has_run(a, i, a, i);
    for (int i = 0; i < runs(b); i++) {
        if (has_run(b, i, b, i))
            continue;
        both += has_run(a, runs(a), b, i);
        only_b += !has_run(a, runs(a), b, i);
    }
    return (double)both / (double)(of_a + only_b);
}

static struct text random_text(uint64_t seed) {
    struct text text = {.count = LENGTH};
    for (int i = 0; i < LENGTH; i++)
        text.words[i] = (int)(gg_random_bits(seed, 1, (uint64_t)i) % 500);
    return text;
}

/* The text with some of its words put otherwise. */
static struct text change(struct text text, uint64_t seed, int changes) {
    for (int i = 0; i < changes; i++)
        text.words[gg_random_bits(seed, 2, (uint64_t)i) % LENGTH] =
            1000 + (int)(gg_random_bits(seed, 3, (uint64_t)i) % 500);
    return text;
}

static void sign(struct gg_minhash *minhash, const struct text *text, uint32_t *signature) {
    struct gg_text bytes = {0};
    for (int i = 0; i < text->count; i++) {
        char word[24];
        const int length = snprintf(word, sizeof word, "%sw%dé%s ", i % 7 == 0 ? "(" : "", text->words[i],
                                    i % 3 == 0 ? ",\n" : "");
        CHECK_OK(gg_text_append(&bytes, word, (size_t)length));
    }
    CHECK_OK(gg_minhash_sign(minhash, bytes.bytes, bytes.count, signature));
    gg_text_free(&bytes);
}

static double agreement(const uint32_t *a, const uint32_t *b, int hashes) {
    int count = 0;
    for (int i = 0; i < hashes; i++)
        count += a[i] == b[i];
    return (double)count / hashes;
}

/* The mean error is that of an unbiased estimate, and its spread that of independent functions. */
static void estimates(void **state) {
    (void)state;
    enum { MANY = 512, PAIRS = 200 };
    struct gg_minhash minhash;
    uint32_t a[MANY], b[MANY];
    gg_minhash_init(&minhash, WORDS, MANY);
    double sum = 0, squares = 0;
    for (uint64_t seed = 0; seed < PAIRS; seed++) {
        const struct text text = random_text(seed), other = change(text, seed, (int)(seed % 50));
        sign(&minhash, &text, a);
        sign(&minhash, &other, b);
        const double exact = resemblance(&text, &other), estimate = agreement(a, b, MANY);
        if (exact == 1) {
            assert_true(estimate == 1);
            continue;
        }
        const double deviations = (estimate - exact) / sqrt(exact * (1 - exact) / MANY);
        assert_true(fabs(deviations) < 5);
        sum += deviations;
        squares += deviations * deviations;
    }
    assert_true(fabs(sum / PAIRS) < 0.25);
    assert_true(squares / PAIRS > 0.7 && squares / PAIRS < 1.4);
    gg_minhash_free(&minhash);
}

static void signature_of(struct gg_minhash *minhash, const char *text, uint32_t *signature) {
    CHECK_OK(gg_minhash_sign(minhash, text, strlen(text), signature));
}

static void words(void **state) {
    (void)state;
    struct gg_minhash minhash;
    uint32_t a[HASHES], b[HASHES], c[HASHES];
    gg_minhash_init(&minhash, WORDS, HASHES);
    signature_of(&minhash, "One two THREE, four\nfive six Éa", a);
    signature_of(&minhash, "  one -- two three four five. Six éA!", b);
    assert_memory_equal(a, b, sizeof a);
    signature_of(&minhash, "one two three four five six", b);
    assert_memory_not_equal(a, b, sizeof a);
    /* Fewer words than a run: all of them are one. */
    signature_of(&minhash, "one two", a);
    signature_of(&minhash, "two one", b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_false(gg_minhash_empty(a));
    signature_of(&minhash, "-- !", a);
    assert_true(gg_minhash_empty(a));
    signature_of(&minhash, "", a);
    assert_true(gg_minhash_empty(a));
    /* Ideographs are words: this one differs at its end alone, and so in one run of four. */
    signature_of(&minhash, "春眠不覺曉處處聞", a);
    signature_of(&minhash, "春眠不覺曉處處聲", b);
    assert_true(agreement(a, b, HASHES) > 0.35 && agreement(a, b, HASHES) < 0.85);
    /* A text's signature joins those of its parts, but for runs over the seam. */
    signature_of(&minhash, "a b c d e f g h i j k l m n o p", a);
    signature_of(&minhash, "a b c d e f g h i j", b);
    signature_of(&minhash, "g h i j k l m n o p", c);
    gg_minhash_join(b, c, HASHES);
    assert_memory_equal(a, b, sizeof a);
    gg_minhash_free(&minhash);
}

/* Every text is found if it resembles one by more than a margin, and not if by less; and what is found is the
 * likest one, by all signatures compared. */
static void finds(void **state) {
    (void)state;
    enum { TEXTS = 160 };
    struct gg_minhash minhash;
    gg_minhash_init(&minhash, WORDS, HASHES);
    gg_near_index *index = gg_near_index_create(BANDS, ROWS, 0.8);
    struct text *kept = gg_malloc(TEXTS * sizeof *kept);
    uint32_t(*signatures)[HASHES] = gg_malloc(TEXTS * sizeof *signatures);
    int count = 0, dropped = 0;
    for (uint64_t i = 0; i < TEXTS; i++) {
        const struct text text = change(random_text(i % 50), i, (int)(i / 15));
        uint32_t signature[HASHES];
        sign(&minhash, &text, signature);
        double likest = 0, exact = 0, similarity;
        int64_t which = -1;
        for (int k = 0; k < count; k++) {
            const double share = agreement(signature, signatures[k], HASHES);
            if (share > likest) {
                likest = share;
                which = k;
            }
            const double same = resemblance(&kept[k], &text);
            exact = same > exact ? same : exact;
        }
        const int64_t found = gg_near_index_find(index, signature, &similarity);
        if (exact > 0.93)
            assert_true(found >= 0);
        if (exact < 0.65)
            assert_true(found < 0);
        if (found >= 0) {
            assert_int_equal(found, which);
            assert_true(similarity == likest && likest >= 0.8);
            dropped++;
            continue;
        }
        kept[count] = text;
        memcpy(signatures[count++], signature, sizeof signature);
        CHECK_OK(gg_near_index_add(index, signature));
    }
    assert_true(dropped > 25 && count > 60);
    gg_near_index_destroy(&index);
    gg_minhash_free(&minhash);
    free(signatures);
    free(kept);
}

/* How often a pair of known resemblance agrees in a band: 1 - (1 - s^rows)^bands. */
static void s_curve(void **state) {
    (void)state;
    enum { PAIRS = 1000 };
    const double shares[] = {0.3, 0.5, 0.6, 0.7, 0.8};
    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
        int found = 0;
        for (uint64_t pair = 0; pair < PAIRS; pair++) {
            uint32_t a[HASHES], b[HASHES];
            for (int i = 0; i < HASHES; i++) {
                a[i] = (uint32_t)gg_random_bits(pair, 10 + k, (uint64_t)i);
                b[i] = gg_random_uniform(pair, 20 + k, (uint64_t)i) < shares[k] ? a[i] : ~a[i];
            }
            gg_near_index *index = gg_near_index_create(BANDS, ROWS, 0);
            double similarity;
            CHECK_OK(gg_near_index_add(index, a));
            found += gg_near_index_find(index, b, &similarity) == 0;
            gg_near_index_destroy(&index);
        }
        const double expected = 1 - pow(1 - pow(shares[k], ROWS), BANDS);
        const double deviation = sqrt(expected * (1 - expected) / PAIRS);
        assert_true(fabs((double)found / PAIRS - expected) < 4.5 * deviation + 1e-9);
    }
}

/* A page that thousands have in common costs no more than a bounded number of comparisons, and is still found. */
static void boilerplate(void **state) {
    (void)state;
    gg_near_index *index = gg_near_index_create(2, 2, 0.9);
    double similarity;
    for (uint32_t i = 0; i < 50000; i++) {
        const uint32_t signature[4] = {1, 2, i, i};
        CHECK_OK(gg_near_index_add(index, signature));
    }
    const uint32_t first[4] = {1, 2, 0, 0}, last[4] = {1, 2, 49999, 49999}, none[4] = {1, 2, 0, 7};
    assert_int_equal(gg_near_index_find(index, first, &similarity), 0);
    assert_int_equal(gg_near_index_find(index, last, &similarity), 49999);
    assert_int_equal(gg_near_index_find(index, none, &similarity), -1);
    gg_near_index_destroy(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimates), cmocka_unit_test(words),       cmocka_unit_test(finds),
        cmocka_unit_test(s_curve),   cmocka_unit_test(boilerplate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
