/* GPT's whole family in bf16 beside the same models in fp32: loss, gradients, the key-value cache.
 *
 * Every activation is off by at most 2^-8 of itself, at random: a gradient keeps its direction and
 * length within a few times that, which cosine and ratio of norms show; single elements need not. PyTorch's
 * bfloat16 makes cosines of 0.9996 of such a GPT-2, 0.998 with rotary positions and SwiGLU, which round once more
 * what is multiplied with one another, and 0.9935 with ReLU, whose gradient is all or nothing.
 */
#include "core/model/graph_figures.h"
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"
#include "tests/optimizer_update.h"

static const char sizes[] = "model.layers=2 model.heads=3 model.width=48 model.context=40 model.vocab=101 "
                            "model.dropout=0.1";

/* Runs a check on every member. */
static void on_the_family(void (*check)(struct gg_model_config config)) {
    for (int member = 0; member < FAMILY; member++)
        check(family_config(sizes, member));
}

static struct gg_model_config in_bf16(struct gg_model_config config) {
    config.precision = GG_PRECISION_BF16;
    return config;
}

static double least_cosine(const struct gg_model_config *config) {
    if (config->activation == GG_ACTIVATION_RELU)
        return 0.99;
    return config->activation == GG_ACTIVATION_SWIGLU || config->positions == GG_POSITIONS_ROTARY ? 0.998
                                                                                                  : 0.9995;
}

static void compare_tensor(const struct gg_parameter *p, const float *a, const float *b, double least) {
    double aa = 0, bb = 0, ab = 0;
    /* A key's bias adds the same to all scores of a query, or nearly so with rotary positions or a norm of the
     * keys: of its gradient little but rounding is left. It is the middle third where the three stand side by side.
     */
    const bool key_bias = strstr(p->name, "c_attn.bias") != NULL;
    if (strstr(p->name, "k_proj.bias") != NULL)
        return;
    const int64_t count = p->rows * p->columns;
    for (int64_t i = 0; i < count; i++) {
        if (key_bias && i >= count / 3 && i < 2 * count / 3)
            continue;
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    const double cosine = ab / sqrt(aa * bb), ratio = sqrt(aa / bb);
    if (!(cosine > least && fabs(ratio - 1) < 0.02))
        fail_msg("%s: cosine %.6f, ratio of norms %.4f", p->name, cosine, ratio);
}

/* Also: what the hook calls final is final. */
static void check_gradients(struct gg_model_config config) {
    struct model_fixture wide, narrow;
    model_fixture_make(&wide, config, GG_MODEL_TRAIN, 3);
    model_fixture_make(&narrow, in_bf16(config), GG_MODEL_TRAIN, 3);
    const struct gg_batch batch = model_fixture_batch(&wide);
    double expected, loss;
    gg_model_train(wide.gpt, &batch, 1, NULL, &expected);
    model_fixture_train_watched(&narrow, &batch, &loss);
    if (!(fabs(loss - expected) < 2e-3 * expected) || loss == expected)
        fail_msg("loss %.9g, in fp32 %.9g", loss, expected);
    for (int i = 0; i < wide.graph.table.count; i++) {
        const struct gg_parameter *p = &wide.graph.table.items[i];
        compare_tensor(p, narrow.gradients + p->offset, wide.gradients + p->offset, least_cosine(&config));
    }
    model_fixture_free(&wide);
    model_fixture_free(&narrow);
}

/* The optimizer writes the copy that gg_model_weights_changed would make; the model multiplies with it. */
static void rounded_weights(void **state) {
    (void)state;
    struct model_fixture f;
    model_fixture_make(&f, in_bf16(family_config(sizes, 0)), GG_MODEL_TRAIN, 2);
    const int64_t elements = f.graph.table.local_elements;
    const size_t bytes = (size_t)elements * sizeof(gg_bf16);
    const struct gg_batch batch = model_fixture_batch(&f);
    float *first = gg_calloc((size_t)elements, sizeof *first),
          *second = gg_calloc((size_t)elements, sizeof *second);
    gg_bf16 *rounded = gg_model_rounded_weights(f.gpt), *written = gg_malloc(bytes);
    double before, after, again;
    gg_model_evaluate(f.gpt, &batch, &before);
    gg_model_train(f.gpt, &batch, 1.0f / 80, NULL, &after);
    adamw_update(&f.graph.table, 0, elements, 1e-2, 1, 1, f.gradients, first, second, f.weights, rounded);
    gg_model_evaluate(f.gpt, &batch, &after);
    assert_true(after < 0.95 * before);
    memcpy(written, rounded, bytes);
    gg_model_weights_changed(f.gpt);
    for (int i = 0; i < f.graph.table.count; i++) {
        const struct gg_parameter *p = &f.graph.table.items[i];
        assert_memory_equal(written + p->offset, rounded + p->offset,
                            (size_t)(p->local_rows * p->local_columns) * sizeof *written);
    }
    gg_model_evaluate(f.gpt, &batch, &again);
    assert_true(again == after);
    free(first);
    free(second);
    free(written);
    model_fixture_free(&f);
}

static void check_cache_agrees(struct gg_model_config config) {
    model_fixture_check_cache(in_bf16(config), 2e-3, 2e-2);
}

static void gradients(void **state) {
    (void)state;
    on_the_family(check_gradients);
}

/* Also of a context, and a window, that end within one of attention's blocks of keys. */
static void cache_agrees(void **state) {
    (void)state;
    on_the_family(check_cache_agrees);
    check_cache_agrees(variant_config("model.layers=1 model.width=16 model.context=300 model.vocab=50 "
                                      "model.attention=banded model.window=70" VARIANT_LLAMA));
}

static void memory_is_smaller(void **state) {
    (void)state;
    const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    const struct gg_model_config config = variant_config("model.preset=gpt2-124m");
    struct gg_graph wide, narrow;
    fixture_graph(config, &whole, &wide);
    fixture_graph(in_bf16(config), &whole, &narrow);
    const double kept = 4 * 4 * (double)gg_graph_parameter_count(&wide); /* weights, gradients, moments */
    const size_t wide_bytes = gg_model_bytes(&wide, GG_MODEL_TRAIN, 4);
    const size_t narrow_bytes = gg_model_bytes(&narrow, GG_MODEL_TRAIN, 4);
    gg_graph_free(&wide);
    gg_graph_free(&narrow);
    assert_true(kept + (double)narrow_bytes < 0.75 * (kept + (double)wide_bytes));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients), cmocka_unit_test(rounded_weights),
                                       cmocka_unit_test(cache_agrees), cmocka_unit_test(memory_is_smaller)};
    if (!gg_matmul_has_bf16()) {
        printf("skipped: no bf16: %s\n", gg_matmul_bf16_lack());
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
