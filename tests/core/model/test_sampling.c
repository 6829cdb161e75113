/* Sampling and the decoder. */
#include "tests/check.h"

#include "core/base/random.h"
#include "core/kernels/matmul/matmul.h"
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

static void min_p_cuts(void **state) {
    (void)state;
    double share[VOCAB];
    /* Relative to the likeliest: 1 / e^2, 1, 1 / e, 1, 1 / e^4. */
    draw(&(struct gg_sampling){.temperature = 1, .top_p = 1, .min_p = 0.3}, share);
    assert_true(share[0] == 0 && share[4] == 0 && fabs(share[2] - 1 / (1 + 2 * exp(1))) < 0.01);
    draw(&(struct gg_sampling){.temperature = 1, .top_p = 1, .min_p = 0.1}, share);
    assert_true(share[0] > 0.04 && share[4] == 0);
    draw(&(struct gg_sampling){.temperature = 2, .top_p = 1, .min_p = 0.3},
         share); /* after the temperature */
    assert_true(share[0] > 0.1 && share[4] == 0);
    draw(&(struct gg_sampling){.temperature = 1, .top_p = 1, .min_p = 1}, share);
    assert_true(share[1] > 0.45 && share[3] > 0.45);
}

/* Each text has random numbers of its own: the number of the text matters, and nothing else of it. */
static void texts_are_independent(void **state) {
    (void)state;
    struct gg_candidate candidates[VOCAB];
    struct gg_sampling sampling = {.temperature = 1, .top_p = 1, .seed = 3};
    int same = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        sampling.text = 0;
        const uint32_t first = gg_sample(logits, VOCAB, &sampling, i, candidates);
        sampling.text = 7;
        const uint32_t other = gg_sample(logits, VOCAB, &sampling, i, candidates);
        assert_int_equal(gg_sample(logits, VOCAB, &sampling, i, candidates), other);
        same += first == other;
    }
    assert_in_range(same, 250, 450); /* the sum of squared probabilities is 0.35 */
}

/* As transformers' RepetitionPenaltyLogitsProcessor: score < 0 ? score * penalty : score / penalty. */
static void penalty_takes_the_seen(void **state) {
    (void)state;
    const bool seen[VOCAB] = {true, false, true, true, true};
    const float expected[VOCAB] = {1.0f / 1.5f, 3.0f, 2.0f / 1.5f, 2.0f, -1.5f};
    float penalised[VOCAB];
    gg_penalise_repetition(logits, VOCAB, seen, 1.5, penalised);
    check_close("penalised", penalised, expected, VOCAB, 1e-7);
    gg_penalise_repetition(logits, VOCAB, seen, 0.5, penalised);
    const float encouraged[VOCAB] = {2.0f, 3.0f, 4.0f, 6.0f, -0.5f};
    check_close("encouraged", penalised, encouraged, VOCAB, 1e-7);
}

/* The cuts, plainly: in order of probability, then top-k, top-p of what is left, min-p. */
enum { MANY = 3000 };
static double plain_weights[MANY];

static int plain_order(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (plain_weights[x] != plain_weights[y])
        return plain_weights[x] > plain_weights[y] ? -1 : 1;
    return x < y ? -1 : 1;
}

static uint32_t plain_sample(const float *many, const struct gg_sampling *s, uint64_t index) {
    static uint32_t order[MANY];
    static bool stays[MANY];
    double largest = -INFINITY, total = 0, kept = 0, passed = 0;
    for (int v = 0; v < MANY; v++)
        largest = fmax(largest, (double)many[v]);
    for (uint32_t v = 0; v < MANY; v++) {
        plain_weights[v] = exp(((double)many[v] - largest) / s->temperature);
        order[v] = v;
        stays[v] = false;
    }
    qsort(order, MANY, sizeof *order, plain_order);
    const int64_t most = s->top_k > 0 && s->top_k < MANY ? s->top_k : MANY;
    for (int64_t i = 0; i < most; i++)
        total += plain_weights[order[i]];
    for (int64_t i = 0; i < most && (i == 0 || s->top_p >= 1 || kept < s->top_p * total); i++) {
        kept += plain_weights[order[i]];
        stays[order[i]] = i == 0 || plain_weights[order[i]] >= s->min_p;
    }
    total = 0;
    for (int v = 0; v < MANY; v++)
        total += stays[v] ? plain_weights[v] : 0;
    const double drawn = total * gg_random_uniform(s->seed, GG_STREAM(GG_STREAM_SAMPLE, s->text), index);
    uint32_t last = 0;
    for (uint32_t v = 0; v < MANY && passed <= drawn; v++)
        if (stays[v]) {
            passed += plain_weights[v];
            last = v;
        }
    return last;
}

/* The same tokens of a large vocabulary, but for the odd one whose turn rounding decides. */
static void draws_as_plainly(void **state) {
    (void)state;
    static float many[MANY];
    static struct gg_candidate candidates[MANY];
    static const struct gg_sampling samplings[] = {
        {.temperature = 1, .top_p = 1},
        {.temperature = 0.6, .top_p = 1, .top_k = 40},
        {.temperature = 1.3, .top_p = 0.8},
        {.temperature = 1, .top_p = 1, .min_p = 0.05},
        {.temperature = 0.9, .top_p = 0.7, .top_k = 300, .min_p = 0.01},
        {.temperature = 2, .top_p = 0.999, .top_k = 2900},
    };
    for (int v = 0; v < MANY; v++)
        many[v] = (float)(3 * gg_random_normal(8, 1, (uint64_t)v));
    for (int s = 0; s < (int)(sizeof samplings / sizeof *samplings); s++) {
        int others = 0;
        for (uint64_t i = 0; i < 300; i++)
            others +=
                gg_sample(many, MANY, &samplings[s], i, candidates) != plain_sample(many, &samplings[s], i);
        if (others > 1)
            fail_msg("sampling %d: %d of 300 tokens are others", s, others);
    }
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
    CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, 1, &one));
    CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, 1, &fresh));
    gg_decoder_feed(one, 0, f.inputs, 11); /* 8, then 4 kept and 3 more */
    gg_decoder_feed(fresh, 0, f.inputs + 4, 7);
    const struct gg_sampling greedy = {.temperature = 0, .top_p = 1};
    for (int i = 0; i < 2; i++) {
        const int32_t a = (int32_t)gg_decoder_sample(one, 0, &greedy),
                      b = (int32_t)gg_decoder_sample(fresh, 0, &greedy);
        assert_int_equal(a, b);
        gg_decoder_feed(one, 0, &a, 1);
        gg_decoder_feed(fresh, 0, &b, 1);
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
        CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, 1, &whole));
        CHECK_OK(gg_decoder_create(&f.graph, &f.fabric, f.weights, 1, &pieces));
        gg_decoder_feed(whole, 0, text, length);
        assert_true(gg_decoder_computed(whole) <= config.context);
        for (int64_t at = 0, part; at < length; at += part) {
            part = 1 + at % 3 < length - at ? 1 + at % 3 : length - at;
            gg_decoder_feed(pieces, 0, text + at, part);
        }
        for (int i = 0; i < 12; i++) {
            const int32_t a = (int32_t)gg_decoder_sample(whole, 0, &greedy),
                          b = (int32_t)gg_decoder_sample(pieces, 0, &greedy);
            if (a != b)
                fail_msg("a text of %lld: token %d is %d, fed in pieces %d", (long long)length, i, a, b);
            gg_decoder_feed(whole, 0, &a, 1);
            gg_decoder_feed(pieces, 0, &b, 1);
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

enum { TEXTS = 3, STEPS = 20 };

/* A text that is begun at one place of a decoder with others beside it, or in one of its own, and goes on for STEPS
 * tokens. */
static void write_among(const struct model_fixture *f, bool others, int64_t place, int32_t drawn[STEPS],
                        double *log_probability) {
    gg_decoder *d;
    const int64_t texts = others ? TEXTS : 1;
    CHECK_OK(gg_decoder_create(&f->graph, &f->fabric, f->weights, texts, &d));
    const struct gg_sampling sampling = {
        .temperature = 1, .top_p = 1, .seed = 9, .text = 4, .repetition_penalty = 1.3};
    int32_t ids[TEXTS] = {0};
    for (int64_t i = 0; i < texts; i++) {
        if (others || i == place)
            gg_decoder_feed(d, i, others ? f->inputs + 9 : f->inputs, i == place ? 5 : 1 + 6 * i);
        ids[i] = -1;
    }
    if (others) { /* whoever stood there before leaves nothing */
        gg_decoder_begin(d, place);
        gg_decoder_feed(d, place, f->inputs, 5);
    }
    *log_probability = 0;
    for (int step = 0; step < STEPS; step++) {
        for (int64_t i = 0; i < texts; i++)
            ids[i] = i == place                     ? (int32_t)gg_decoder_sample(d, i, &sampling)
                     : others && step % (i + 2) > 0 ? (int32_t)(step % 50)
                                                    : -1;
        drawn[step] = ids[place];
        *log_probability += gg_decoder_log_probability(d, place, (uint32_t)ids[place]);
        gg_decoder_step(d, ids);
        ids[place] = -1; /* while it waits */
        if (others)
            gg_decoder_step(d, ids);
    }
    gg_decoder_destroy(&d);
}

/* The same tokens and the same log-probabilities to the last bit, alone and among others that are ahead, pause
 * and pass the end of the context, in any place; with learned positions and with rotary ones. */
static void others_change_nothing(void **state) {
    (void)state;
    const bool has_bf16 = gg_matmul_has_bf16();
    for (int kind = 0; kind < (has_bf16 ? 4 : 2); kind++) {
        const int rotary = kind % 2;
        struct gg_model_config config = {
            .layers = 2, .heads = 2, .width = 80, .context = 12, .vocab = 50, .padded_vocab = 64};
        config.precision = kind < 2 ? GG_PRECISION_FP32 : GG_PRECISION_BF16;
        if (rotary == 1) {
            config.positions = GG_POSITIONS_ROTARY;
            config.rope_theta = 10000;
        }
        struct model_fixture f;
        model_fixture_make(&f, config, GG_MODEL_GENERATE, 4);
        int32_t alone[STEPS], among[STEPS];
        double alone_sum, among_sum;
        write_among(&f, false, 0, alone, &alone_sum);
        for (int64_t place = 0; place < TEXTS; place++) {
            write_among(&f, true, place, among, &among_sum);
            assert_memory_equal(alone, among, sizeof alone);
            assert_true(alone_sum == among_sum);
        }
        model_fixture_free(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shares_follow_probabilities),
                                       cmocka_unit_test(cuts),
                                       cmocka_unit_test(min_p_cuts),
                                       cmocka_unit_test(texts_are_independent),
                                       cmocka_unit_test(penalty_takes_the_seen),
                                       cmocka_unit_test(draws_as_plainly),
                                       cmocka_unit_test(beyond_the_context),
                                       cmocka_unit_test(long_text_in_one_call),
                                       cmocka_unit_test(others_change_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
