/* Scores of tokens: against a plain sort of the logits, for any split of the vocabulary; and a model's against its
 * logits token by token, whatever uses the model has. */
#include "tests/check.h"

#include "core/kernels/token_rank.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"

enum { VOCAB = 50, TOKENS = 9, CONTEXT = 24, MOST = 4, SHARDS = 3, PADDED = 54 };

/* Whether entry a comes before b in a row. */
static bool comes_before(const float *row, int64_t a, int64_t b) {
    return row[a] > row[b] || (a < b && row[a] == row[b]);
}

/* The entry that `rank` others come before. */
static int64_t entry_of_rank(const float *row, int64_t vocab, int64_t rank) {
    for (int64_t v = 0; v < vocab; v++) {
        int64_t before = 0;
        for (int64_t other = 0; other < vocab; other++)
            before += comes_before(row, other, v);
        if (before == rank)
            return v;
    }
    fail_msg("no entry has rank %lld", (long long)rank);
    return -1;
}

/* Few values, so that many are equal, within shards and across them. */
static void make_logits(float logits[TOKENS][PADDED], int32_t targets[TOKENS], float weights[TOKENS]) {
    for (int64_t t = 0; t < TOKENS; t++) {
        targets[t] = (int32_t)(t * 13 % VOCAB);
        weights[t] = t == 3 ? 0 : 1 + (float)t;
        for (int64_t v = 0; v < PADDED; v++)
            logits[t][v] =
                v < VOCAB ? (float)(gg_random_bits(7, 0, (uint64_t)(t * PADDED + v)) % 5) - 2 : 1e4f;
    }
}

static struct gg_logits shard_of(float logits[TOKENS][PADDED], int64_t shard, float *part) {
    const int64_t local = PADDED / SHARDS;
    for (int64_t t = 0; t < TOKENS; t++)
        memcpy(part + t * local, logits[t] + shard * local, (size_t)local * sizeof *part);
    return (struct gg_logits){part, TOKENS, local, shard * local, VOCAB};
}

static void ranks_of_shards(void **state) {
    (void)state;
    float logits[TOKENS][PADDED], weights[TOKENS], part[TOKENS * PADDED];
    int32_t targets[TOKENS];
    make_logits(logits, targets, weights);
    float values[TOKENS] = {0}, counts[TOKENS] = {0}, some[TOKENS];
    for (int shard = 0; shard < SHARDS; shard++) {
        const struct gg_logits l = shard_of(logits, shard, part);
        gg_rank_targets(&l, targets, weights, some);
        for (int64_t t = 0; t < TOKENS; t++)
            values[t] += some[t];
    }
    values[4] = NAN;
    for (int shard = 0; shard < SHARDS; shard++) {
        const struct gg_logits l = shard_of(logits, shard, part);
        gg_rank_counts(&l, targets, weights, values, some);
        for (int64_t t = 0; t < TOKENS; t++)
            counts[t] += some[t];
    }
    for (int64_t t = 0; t < TOKENS; t++) {
        if (t == 3)
            assert_int_equal((int)counts[t], 0);
        else if (t == 4)
            assert_int_equal((int)counts[t], VOCAB);
        else
            assert_int_equal(entry_of_rank(logits[t], VOCAB, (int64_t)counts[t]), targets[t]);
    }
}

/* All entries of a shard one behind the other, in order; then none. */
static void next_of_a_shard(void **state) {
    (void)state;
    float logits[TOKENS][PADDED], weights[TOKENS], part[TOKENS * PADDED], value[TOKENS];
    int32_t targets[TOKENS], id[TOKENS];
    make_logits(logits, targets, weights);
    const struct gg_logits l = shard_of(logits, SHARDS - 1, part);
    const int64_t first = l.first, real = VOCAB - first;
    for (int64_t rank = 0; rank <= real; rank++) {
        gg_rank_next(&l, NULL, rank > 0 ? value : NULL, rank > 0 ? id : NULL, value, id);
        for (int64_t t = 0; t < TOKENS; t++) {
            assert_int_equal(id[t],
                             rank < real ? first + entry_of_rank(logits[t] + first, real, rank) : VOCAB);
            assert_true(value[t] == (rank < real ? logits[t][id[t]] : -INFINITY));
        }
    }
}

/*   weights [in] or NULL */
static void check_model(const struct model_fixture *f, const float *weights, const float *logits,
                        int64_t time) {
    const int64_t tokens = f->sequences * time, padded = f->graph.config.padded_vocab;
    float log_probabilities[2 * CONTEXT], found[2 * CONTEXT * MOST];
    int32_t ranks[2 * CONTEXT], ids[2 * CONTEXT * MOST];
    struct gg_token_scores scores = {false, log_probabilities, ranks, MOST, ids, found};
    const struct gg_batch batch = {.sequences = f->sequences,
                                   .time = time,
                                   .inputs = f->inputs,
                                   .targets = f->targets,
                                   .loss_weights = weights};
    gg_model_score(f->gpt, &batch, &scores);
    for (int64_t t = 0; t < tokens; t++) {
        const float *row = logits + t * padded;
        if (weights != NULL && weights[t] == 0)
            continue;
        const double expected = -fixture_cross_entropy(row, VOCAB, f->targets[t]);
        assert_true(fabs((double)log_probabilities[t] - expected) <= 1e-5 * fabs(expected) + 1e-6);
        assert_int_equal(entry_of_rank(row, VOCAB, ranks[t]), f->targets[t]);
        for (int64_t k = 0; k < MOST; k++) {
            const int32_t id = ids[t * MOST + k];
            assert_int_equal(id, entry_of_rank(row, VOCAB, k));
            assert_true(fabs((double)found[t * MOST + k] + fixture_cross_entropy(row, VOCAB, id)) <= 2e-5);
        }
    }
}

/* Of models made for training and for evaluation, of whole contexts and of shorter ones. */
static void scores_of_a_model(void **state) {
    (void)state;
    const struct gg_model_config config =
        variant_config("model.layers=2 model.heads=2 model.width=16 model.context=24 model.vocab=50");
    const int64_t padded = config.padded_vocab, times[] = {CONTEXT, 7};
    for (int i = 0; i < 2; i++) {
        struct model_fixture f, cached;
        const int64_t time = times[i];
        model_fixture_make(&f, config, i == 0 ? GG_MODEL_EVALUATE : GG_MODEL_TRAIN, 2);
        model_fixture_make(&cached, config, GG_MODEL_GENERATE, 1);
        float *logits = gg_calloc((size_t)(2 * time * padded), sizeof *logits), weights[2 * CONTEXT];
        for (int64_t t = 0; t < 2 * time; t++) {
            gg_model_logits(cached.gpt, f.inputs + t, 1, t % time, logits + t * padded);
            weights[t] = t % 3 == 1 ? 0 : 2;
        }
        check_model(&f, NULL, logits, time);
        check_model(&f, weights, logits, time);
        free(logits);
        model_fixture_free(&f);
        model_fixture_free(&cached);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranks_of_shards), cmocka_unit_test(next_of_a_shard),
                                       cmocka_unit_test(scores_of_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
