/* Sampling and the decoder. */
#include "tests/check.h"

#include "core/model/decoder.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"

enum { VOCAB = 5, DRAWS = 40000 };
static const float logits[VOCAB] = {1.0f, 3.0f, 2.0f, 3.0f, -1.0f};

/* Shares of DRAWS tokens. */
static void draw(const struct gg_sampling *sampling, double share[VOCAB]) {
    struct gg_candidate candidates[VOCAB];
    memset(share, 0, VOCAB * sizeof *share);
    for (uint64_t i = 0; i < DRAWS; i++)
        share[gg_sample(logits, VOCAB, sampling, i, candidates)] += 1.0 / DRAWS;
}

static void shares_follow_probabilities(void **state) {
    (void)state;
    double share[VOCAB], sum = 0;
    draw(&(struct gg_sampling){.temperature = 0.7, .top_p = 1, .seed = 1}, share);
    for (int v = 0; v < VOCAB; v++)
        sum += exp((double)logits[v] / 0.7);
    for (int v = 0; v < VOCAB; v++)
        assert_true(fabs(share[v] - exp((double)logits[v] / 0.7) / sum) < 0.01);
}

static void cuts(void **state) {
    (void)state;
    double share[VOCAB];
    draw(&(struct gg_sampling){.temperature = 1, .top_k = 3, .top_p = 1}, share);
    assert_true(share[0] == 0 && share[4] == 0 && share[1] > 0.3 && share[2] > 0.1 && share[3] > 0.3);
    draw(&(struct gg_sampling){.temperature = 1, .top_k = 1, .top_p = 1}, share);
    assert_true(fabs(share[1] - 1) < 1e-9); /* the first of equals */
    draw(&(struct gg_sampling){.temperature = 1, .top_p = 0.5}, share);
    assert_true(share[1] > 0.4 && share[3] > 0.4 && share[0] + share[2] + share[4] == 0);
    draw(&(struct gg_sampling){.temperature = 0, .top_p = 1}, share);
    assert_true(fabs(share[1] - 1) < 1e-9);
}

/* A GPT-2, and a model whose queries see a window of keys and whose positions are rotary. */
#define SIZES "model.layers=2 model.heads=2 model.width=16 model.context=8 model.vocab=50"
static const char *const models[] = {SIZES, SIZES VARIANT_LLAMA " model.attention=banded model.window=3"};
enum { MODELS = sizeof models / sizeof *models };

/* Text longer than the context goes on, as a fresh decoder fed with the newer half would. */
static void check_beyond_the_context(struct gg_model_config config) {
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_GENERATE, 4);
    gg_decoder *one, *fresh;
    CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, &one));
    CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, &fresh));
    gg_decoder_feed(one, f.inputs, 11); /* 8, then 4 kept and 3 more */
    gg_decoder_feed(fresh, f.inputs + 4, 7);
    const struct gg_sampling greedy = {.temperature = 0, .top_p = 1};
    for (int i = 0; i < 2; i++) {
        const int32_t a = (int32_t)gg_decoder_sample(one, &greedy),
                      b = (int32_t)gg_decoder_sample(fresh, &greedy);
        assert_int_equal(a, b);
        gg_decoder_feed(one, &a, 1);
        gg_decoder_feed(fresh, &b, 1);
    }
    gg_decoder_destroy(&one);
    gg_decoder_destroy(&fresh);
    model_fixture_free(&f);
}

/* A long text costs as much as a context, and leaves the decoder where feeding it bit by bit does. */
static void check_long_text(struct gg_model_config config) {
    enum { LONGEST = 3000 };
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_GENERATE, 4);
    int32_t text[LONGEST];
    for (int i = 0; i < LONGEST; i++)
        text[i] = (int32_t)(gg_random_bits(5, 5, (uint64_t)i) % 50);
    const struct gg_sampling greedy = {.temperature = 0, .top_p = 1};
    for (int64_t length = 1; length <= LONGEST; length += length < 40 ? 1 : 740) {
        gg_decoder *whole, *pieces;
        CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, &whole));
        CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, &pieces));
        gg_decoder_feed(whole, text, length);
        assert_true(gg_decoder_computed(whole) <= config.context);
        for (int64_t at = 0, part; at < length; at += part) {
            part = 1 + at % 3 < length - at ? 1 + at % 3 : length - at;
            gg_decoder_feed(pieces, text + at, part);
        }
        for (int i = 0; i < 12; i++) {
            const int32_t a = (int32_t)gg_decoder_sample(whole, &greedy),
                          b = (int32_t)gg_decoder_sample(pieces, &greedy);
            if (a != b)
                fail_msg("a text of %lld: token %d is %d, fed in pieces %d", (long long)length, i, a, b);
            gg_decoder_feed(whole, &a, 1);
            gg_decoder_feed(pieces, &b, 1);
        }
        gg_decoder_destroy(&whole);
        gg_decoder_destroy(&pieces);
    }
    model_fixture_free(&f);
}

static void beyond_the_context(void **state) {
    (void)state;
    for (int i = 0; i < MODELS; i++)
        check_beyond_the_context(variant_config(models[i]));
}

static void long_text_in_one_call(void **state) {
    (void)state;
    for (int i = 0; i < MODELS; i++)
        check_long_text(variant_config(models[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shares_follow_probabilities), cmocka_unit_test(cuts),
                                       cmocka_unit_test(beyond_the_context),
                                       cmocka_unit_test(long_text_in_one_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
