/* Adapters of low rank beside frozen weights: what they add to every map of every member of the family, and their
 * gradients, against the same model with W + (alpha / rank) A B for weights, of which all is known; the same bits
 * whatever is recomputed; frozen weights cost no memory but their own. */
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "core/model/graph_figures.h"
#include "core/model/lora_targets.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"

static const char sizes[] = "model.layers=3 model.heads=3 model.width=24 model.context=20 model.vocab=101";
enum { SEQUENCES = 2, RANK = 3 };

/* Targets of every page, each of which has some of them. */
static const char *const everything[] = {"c_attn", "c_proj", "c_fc",      "q_proj",  "k_proj",
                                         "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};

static struct gg_model_config with_adapters(struct gg_model_config config, const char *const *targets,
                                            size_t count) {
    config.lora =
        (struct gg_lora_settings){.rank = RANK, .alpha = 5, .targets = {(char **)(uintptr_t)targets, count}};
    return config;
}

/* A copy of a fixture's adapters and frozen weights as a model without adapters has them. */
static void merge(const struct model_fixture *f, const struct model_fixture *merged) {
    const struct gg_parameter_table *table = &f->graph.table;
    for (int i = 0; i < merged->graph.table.count; i++) {
        const struct gg_parameter *to = &merged->graph.table.items[i];
        const struct gg_parameter *from = &table->items[gg_parameter_find(table, to->name)];
        float *w = merged->weights + to->offset;
        memcpy(w, f->weights + from->offset, (size_t)(to->local_rows * to->local_columns) * sizeof *w);
        char name[80];
        snprintf(name, sizeof name, "%.*s.lora_A.weight", (int)(strrchr(to->name, '.') - to->name), to->name);
        const int a = gg_parameter_find(table, name);
        if (a < 0 || to->dimensions == 1)
            continue;
        const float *A = f->weights + table->items[a].offset, *B = f->weights + table->items[a + 1].offset;
        for (int64_t r = 0; r < to->rows; r++)
            for (int64_t c = 0; c < to->columns; c++)
                for (int64_t k = 0; k < RANK; k++)
                    w[r * to->columns + c] += 5.0f / RANK * A[r * RANK + k] * B[k * to->columns + c];
    }
    gg_model_weights_changed(merged->gpt);
}

/* dA = s dW B^T, dB = s A^T dW. */
static void check_gradients(const struct model_fixture *f, const struct model_fixture *merged) {
    const struct gg_parameter_table *table = &f->graph.table;
    int checked = 0;
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *a = &table->items[i], *b = a + 1;
        const char *end = strstr(a->name, "lora_A.weight");
        if (end == NULL)
            continue;
        char name[80];
        snprintf(name, sizeof name, "%.*sweight", (int)(end - a->name), a->name);
        const struct gg_parameter *w =
            &merged->graph.table.items[gg_parameter_find(&merged->graph.table, name)];
        const float *A = f->weights + a->offset, *B = f->weights + b->offset,
                    *dW = merged->gradients + w->offset;
        float *dA = gg_calloc((size_t)(w->rows * RANK), sizeof *dA),
              *dB = gg_calloc((size_t)(w->columns * RANK), sizeof *dB);
        for (int64_t r = 0; r < w->rows; r++)
            for (int64_t c = 0; c < w->columns; c++)
                for (int64_t k = 0; k < RANK; k++) {
                    dA[r * RANK + k] += 5.0f / RANK * dW[r * w->columns + c] * B[k * w->columns + c];
                    dB[k * w->columns + c] += 5.0f / RANK * dW[r * w->columns + c] * A[r * RANK + k];
                }
        check_close(a->name, f->gradients + a->offset, dA, w->rows * RANK, 2e-5);
        check_close(b->name, f->gradients + b->offset, dB, w->columns * RANK, 2e-5);
        free(dA);
        free(dB);
        checked++;
    }
    assert_true(checked > 0);
}

static double train(const struct model_fixture *f) {
    const struct gg_batch batch = model_fixture_batch(f);
    double loss;
    model_fixture_train_watched(f, &batch, &loss);
    return loss;
}

static void compare(struct gg_model_config config, const char *const *targets, size_t count) {
    struct model_fixture f, merged;
    model_fixture_make(&f, with_adapters(config, targets, count), GG_MODEL_TRAIN, SEQUENCES);
    model_fixture_make(&merged, config, GG_MODEL_TRAIN, SEQUENCES);
    merge(&f, &merged);
    const double loss = train(&f), expected = train(&merged);
    if (!(fabs(loss - expected) <= 1e-6 * expected))
        fail_msg("loss with adapters %.9g, with merged weights %.9g", loss, expected);
    check_gradients(&f, &merged);
    model_fixture_free(&f);
    model_fixture_free(&merged);
}

static void match_merged_weights(void **state) {
    (void)state;
    for (int member = 0; member < FAMILY; member++) {
        const struct gg_model_config config = family_config(sizes, member);
        compare(config, everything, sizeof everything / sizeof *everything);
    }
    /* Of one map alone: what stands before it has no backward pass. */
    static const char *const one[][1] = {
        {"h.1.attn.c_attn"}, {"mlp.c_proj"}, {"transformer.h.2.mlp.c_fc"}, {"c_attn"}};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        compare(variant_config(sizes), one[i], 1);
    static const char *const queries[] = {"q_proj", "v_proj"};
    compare(family_config(sizes, 3), queries, 2);
}

/* Whatever is kept or recomputed, in fp32 and bf16, with dropout of both kinds. */
static void have_the_same_bits(void **state) {
    (void)state;
    static const char *const some[][2] = {{"c_attn", "c_fc"}, {"c_proj", "c_proj"}};
    for (int i = 0; i < 12; i++) {
        struct model_fixture kept, recomputed;
        struct gg_model_config config = with_adapters(variant_config(sizes), some[i % 2], 2);
        config.dropout = i / 2 % 3 > 0 ? 0.2 : 0;
        config.lora.dropout = i / 2 % 3 > 1 ? 0.3 : 0;
        config.precision = i >= 6 ? GG_PRECISION_BF16 : GG_PRECISION_FP32;
        if (i >= 6 && !gg_matmul_has_bf16())
            break;
        model_fixture_make(&kept, config, GG_MODEL_TRAIN, SEQUENCES);
        const double loss = train(&kept);
        for (int recompute = GG_RECOMPUTE_ATTENTION; recompute <= GG_RECOMPUTE_BLOCK; recompute++) {
            config.recompute = (enum gg_recompute)recompute;
            model_fixture_make(&recomputed, config, GG_MODEL_TRAIN, SEQUENCES);
            assert_true(train(&recomputed) == loss);
            assert_memory_equal(recomputed.gradients, kept.gradients,
                                (size_t)kept.graph.table.trained_elements * sizeof *kept.gradients);
            model_fixture_free(&recomputed);
        }
        model_fixture_free(&kept);
    }
}

/* With dropout: the gradient of A's and B's first elements, by differences. */
static void differences_agree(void **state) {
    (void)state;
    static const char *const targets[] = {"c_attn", "mlp.c_proj"};
    struct gg_model_config config = with_adapters(variant_config(sizes), targets, 2);
    config.lora.dropout = 0.3;
    config.dropout = 0.1;
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_TRAIN, SEQUENCES);
    const struct gg_parameter_table *table = &f.graph.table;
    double without;
    const struct gg_batch batch = model_fixture_batch(&f);
    gg_model_evaluate(f.gpt, &batch, &without);
    assert_true(fabs(train(&f) - without) > 1e-3 * without);
    float *gradients = gg_malloc((size_t)table->trained_elements * sizeof *gradients);
    memcpy(gradients, f.gradients, (size_t)table->trained_elements * sizeof *gradients);
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        for (int64_t k = 0; p->trained && k < 3; k++) {
            float *weight = &f.weights[p->offset + k * 7];
            const float before = *weight, step = 0.02f;
            *weight = before + step;
            const double above = train(&f);
            *weight = before - step;
            const double below = train(&f), slope = (above - below) / (2 * (double)step),
                         gradient = (double)gradients[p->offset + k * 7];
            *weight = before;
            if (!(fabs(slope - gradient) <= 0.02 * fabs(gradient) + 0.02))
                fail_msg("%s %lld: gradient %.6g, by differences %.6g", p->name, (long long)k, gradient,
                         slope);
        }
    }
    free(gradients);
    model_fixture_free(&f);
}

/* Of what is frozen there are no gradients and nothing that only these would read. */
static void spare_memory(void **state) {
    (void)state;
    static const char *const last[] = {"h.7.attn.c_attn"}, *const all[] = {"c_attn"};
    struct gg_model_config config =
        variant_config("model.layers=8 model.heads=4 model.width=64 model.context=64 model.vocab=64");
    const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    struct gg_graph full, adapters, top;
    fixture_graph(config, &whole, &full);
    fixture_graph(with_adapters(config, all, 1), &whole, &adapters);
    fixture_graph(with_adapters(config, last, 1), &whole, &top);
    const int64_t added = RANK * (64 + 3 * 64);
    assert_int_equal(gg_graph_trained_count(&adapters), 8 * added);
    assert_int_equal(gg_graph_trained_count(&top), added);
    assert_int_equal(gg_graph_trained_count(&full), gg_graph_parameter_count(&full));
    assert_int_equal(adapters.table.local_elements - adapters.table.trained_elements,
                     full.table.local_elements);
    const size_t bytes[] = {gg_model_bytes(&full, GG_MODEL_TRAIN, SEQUENCES),
                            gg_model_bytes(&adapters, GG_MODEL_TRAIN, SEQUENCES),
                            gg_model_bytes(&top, GG_MODEL_TRAIN, SEQUENCES),
                            gg_model_bytes(&full, GG_MODEL_EVALUATE, SEQUENCES)};
    printf("activations: %zu bytes, with adapters %zu, of the last block alone %zu; forward alone %zu\n",
           bytes[0], bytes[1], bytes[2], bytes[3]);
    /* Of a block's tensors are read no more: the second norm's output, GELU's, attention's as the map's input. */
    const size_t tensor = SEQUENCES * 64 * 64 * sizeof(float);
    assert_true(bytes[1] <= bytes[0] - 8 * 4 * tensor);
    assert_true(bytes[2] < bytes[0] / 3);
    gg_graph_free(&full);
    gg_graph_free(&adapters);
    gg_graph_free(&top);
}

/* As torch.nn.Linear's initial weights, and zero. */
static void begin_as_the_base(void **state) {
    (void)state;
    static const char *const targets[] = {"c_fc"};
    struct gg_graph graph;
    const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    fixture_graph(with_adapters(variant_config("model.layers=1 model.heads=4 model.width=400 model.vocab=64"),
                                targets, 1),
                  &whole, &graph);
    float *weights = gg_calloc((size_t)graph.table.local_elements, sizeof *weights);
    gg_parameters_initialise(&graph.table, 1, weights);
    const struct gg_parameter *a =
        &graph.table.items[gg_parameter_find(&graph.table, "transformer.h.0.mlp.c_fc.lora_A.weight")];
    double largest = 0, squares = 0;
    const int64_t count = a->rows * a->columns, zeros = a[1].rows * a[1].columns;
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)weights[a->offset + i];
        largest = fabs(value) > largest ? fabs(value) : largest;
        squares += value * value;
    }
    const double bound = 1 / sqrt(400.0);
    assert_true(largest <= bound && largest > 0.99 * bound);
    assert_true(fabs(squares / (double)count - bound * bound / 3) < 0.1 * bound * bound / 3);
    for (int64_t i = 0; i < zeros; i++)
        assert_true(weights[a[1].offset + i] == 0);
    free(weights);
    gg_graph_free(&graph);
}

static void take_peft_names(void **state) {
    (void)state;
    struct gg_model_settings gpt2 = variant_settings(sizes),
                             llama =
                                 variant_settings("model.layers=2 model.norm=rmsnorm model.positions=rotary");
    struct gg_lora_settings lora = {.rank = 4};
    CHECK_OK(gg_lora_settings_resolve(&lora, &gpt2));
    assert_true(lora.alpha == 8 && lora.targets.count == 1);
    assert_string_equal(lora.targets.items[0], "c_attn");
    CHECK_FAILS(gg_lora_settings_resolve(&lora, &llama), GG_USAGE,
                "finetune.lora.targets: the model has no map 'c_attn'; its blocks have self_attn.q_proj, "
                "self_attn.k_proj, self_attn.v_proj, self_attn.o_proj, mlp.up_proj, mlp.down_proj");
    gg_options_free(&gg_lora_setting_rows, &lora);
    lora = (struct gg_lora_settings){.rank = 4, .alpha = 1};
    CHECK_OK(gg_lora_settings_resolve(&lora, &llama));
    assert_true(lora.alpha == 1 && lora.targets.count == 2);
    assert_true(gg_lora_is_target(&lora, "model.layers.1.self_attn.v_proj"));
    assert_false(gg_lora_is_target(&lora, "model.layers.1.self_attn.xv_proj"));
    assert_false(gg_lora_is_target(&lora, "proj"));
    gg_options_free(&gg_lora_setting_rows, &lora);
    lora = (struct gg_lora_settings){.dropout = 0.1};
    CHECK_FAILS(gg_lora_settings_resolve(&lora, &gpt2), GG_USAGE,
                "finetune.lora.dropout has no meaning without");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_merged_weights), cmocka_unit_test(have_the_same_bits),
        cmocka_unit_test(differences_agree),    cmocka_unit_test(spare_memory),
        cmocka_unit_test(begin_as_the_base),    cmocka_unit_test(take_peft_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
