/* compute.recompute: loss and gradients have the bits of a model that keeps everything, and memory falls by
 * what is not kept.
 */
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"

static const char sizes[] = "model.layers=4 model.heads=3 model.width=48 model.context=40 model.vocab=101 "
                            "model.dropout=0.2";

/* Trains on the first `sequences` of the batch. Returns the hook's calls. */
static int train(const struct model_fixture *f, int64_t sequences, double *loss) {
    struct gg_batch batch = model_fixture_batch(f);
    batch.sequences = sequences;
    return model_fixture_train_watched(f, &batch, loss);
}

/* A whole batch, an evaluation that leaves other activations behind, then a smaller batch. */
static void compare_with_keeping(struct gg_model_config config, enum gg_recompute recompute) {
    enum { SEQUENCES = 3 };
    struct model_fixture kept, recomputed;
    model_fixture_make(&kept, config, GG_MODEL_TRAIN, SEQUENCES);
    config.recompute = recompute;
    model_fixture_make(&recomputed, config, GG_MODEL_TRAIN, SEQUENCES);
    for (int64_t sequences = SEQUENCES; sequences >= 2; sequences--) {
        double loss[2], evaluated[2];
        const int calls = train(&kept, sequences, &loss[0]);
        const int calls_recomputed = train(&recomputed, sequences, &loss[1]);
        assert_memory_equal(&loss[1], &loss[0], sizeof loss[0]);
        assert_memory_equal(recomputed.gradients, kept.gradients,
                            (size_t)kept.graph.table.local_elements * sizeof *kept.gradients);
        /* Communication is driven on between recomputed kernels too; the last block's are there still. */
        assert_true(config.layers > 1 ? calls_recomputed > calls : calls_recomputed == calls);
        const struct gg_batch batch = model_fixture_batch(&kept);
        gg_model_evaluate(kept.gpt, &batch, &evaluated[0]);
        gg_model_evaluate(recomputed.gpt, &batch, &evaluated[1]);
        assert_memory_equal(&evaluated[1], &evaluated[0], sizeof evaluated[0]);
        if (config.dropout > 0 && sequences == SEQUENCES)
            assert_true(evaluated[0] != loss[0]);
    }
    model_fixture_free(&kept);
    model_fixture_free(&recomputed);
}

static void same_bits(enum gg_precision precision) {
    for (int member = 0; member < FAMILY; member++)
        for (int round = 0; round < 3; round++) {
            if (member > 0 && member % 3 != round)
                continue;
            struct gg_model_config config = family_config(sizes, member);
            config.precision = precision;
            config.layers = round == 1 ? 1 : config.layers;
            config.dropout = round == 2 ? 0 : config.dropout;
            compare_with_keeping(config, GG_RECOMPUTE_ATTENTION);
            compare_with_keeping(config, GG_RECOMPUTE_BLOCK);
        }
}

static void same_bits_fp32(void **state) {
    (void)state;
    same_bits(GG_PRECISION_FP32);
}

static void same_bits_bf16(void **state) {
    (void)state;
    if (!gg_matmul_has_bf16())
        skip();
    same_bits(GG_PRECISION_BF16);
}

static size_t activation_bytes(struct gg_model_config config, enum gg_precision precision,
                               enum gg_recompute recompute) {
    const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    struct gg_graph graph;
    config.precision = precision;
    config.recompute = recompute;
    fixture_graph(config, &whole, &graph);
    const size_t bytes = gg_model_bytes(&graph, GG_MODEL_TRAIN, 4);
    gg_graph_free(&graph);
    return bytes;
}

/* GPT-2 124M. All blocks but one lose what all then share: of attention, norm 1 + qkv 3 + output 1 widths,
 * the norm's two statistics and a log-sum per head; of a block also middle 1 + norm 1 + hidden 4, two more
 * statistics, and in fp32 GELU's output 4, which bf16 never keeps. */
static void memory_falls(void **state) {
    (void)state;
    const struct gg_model_config gpt2 = variant_config("model.preset=gpt2-124m");
    const size_t tokens = 4 * 1024, blocks = 11;
    for (int bf16 = 0; bf16 < 2; bf16++) {
        const enum gg_precision precision = bf16 ? GG_PRECISION_BF16 : GG_PRECISION_FP32;
        const size_t unit = tokens * 768 * (bf16 ? 2 : 4), floats = tokens * 4;
        const size_t none = activation_bytes(gpt2, precision, GG_RECOMPUTE_NONE);
        const size_t attention = activation_bytes(gpt2, precision, GG_RECOMPUTE_ATTENTION);
        const size_t block = activation_bytes(gpt2, precision, GG_RECOMPUTE_BLOCK);
        printf("%s: none %.0f MB, attention %.0f MB, block %.0f MB\n", bf16 ? "bf16" : "fp32",
               1e-6 * (double)none, 1e-6 * (double)attention, 1e-6 * (double)block);
        assert_int_equal(none - attention, blocks * (5 * unit + (2 + 12) * floats));
        assert_int_equal(none - block, blocks * ((bf16 ? 11 : 15) * unit + (2 + 2 + 12) * floats));
    }
    assert_true(3 * activation_bytes(gpt2, GG_PRECISION_FP32, GG_RECOMPUTE_BLOCK) <
                activation_bytes(gpt2, GG_PRECISION_FP32, GG_RECOMPUTE_NONE));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits_fp32), cmocka_unit_test(same_bits_bf16),
                                       cmocka_unit_test(memory_falls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
