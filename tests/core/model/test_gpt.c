/* Properties of GPT's whole family: finite differences, causality, the gradient hook's promises, the key-value
 * cache. */
#include "tests/check.h"

#include "tests/model_fixture.h"
#include "tests/model_variants.h"

static const char sizes[] = "model.layers=2 model.heads=2 model.width=16 model.context=24 model.vocab=50 "
                            "model.dropout=0.2";
enum { CONTEXT = 24, VOCAB = 50 };

/* Runs a check on every member. */
static void on_the_family(void (*check)(struct gg_model_config config)) {
    for (int member = 0; member < FAMILY; member++)
        check(family_config(sizes, member));
}

static double train_loss(struct model_fixture *f) {
    const struct gg_batch batch = model_fixture_batch(f);
    double loss;
    memset(f->gradients, 0, (size_t)f->graph.table.local_elements * sizeof *f->gradients);
    gg_model_train(f->gpt, &batch, 1, NULL, &loss);
    return loss;
}

/* Along a random direction of each tensor, with dropout on: the masks must be the same in both passes. ReLU has a
 * kink, which the fewer hidden features cross, the smaller the step is. */
static void check_finite_differences(struct gg_model_config config) {
    const double length = config.activation == GG_ACTIVATION_RELU ? 5e-4 : 4e-3;
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_TRAIN, 2);
    const size_t bytes = (size_t)f.graph.table.local_elements * sizeof(float);
    float *gradients = gg_malloc(bytes), *weights = gg_malloc(bytes);
    train_loss(&f);
    memcpy(gradients, f.gradients, bytes);
    memcpy(weights, f.weights, bytes);
    for (int i = 0; i < f.graph.table.count; i++) {
        const struct gg_parameter *p = &f.graph.table.items[i];
        const int64_t count = p->rows * p->columns;
        const double step = length / sqrt((double)count);
        double slope = 0, losses[2];
        for (int side = 0; side < 2; side++) {
            memcpy(f.weights, weights, bytes);
            slope = 0;
            for (int64_t e = 0; e < count; e++) {
                /* Half along the gradient, so that the slope is far from zero. */
                const double direction =
                    gg_random_normal(5, (uint64_t)i, (uint64_t)e) + (gradients[p->offset + e] > 0 ? 1 : -1);
                f.weights[p->offset + e] += (float)((side == 0 ? step : -step) * direction);
                slope += direction * (double)gradients[p->offset + e];
            }
            losses[side] = train_loss(&f);
        }
        const double difference = (losses[0] - losses[1]) / (2 * step);
        if (!(fabs(difference - slope) <= 2e-2 * fabs(slope) + 2e-2))
            fail_msg("%s: slope %.6g, by differences %.6g", p->name, slope, difference);
    }
    free(gradients);
    free(weights);
    model_fixture_free(&f);
}

/* A later token never changes an earlier logit: the loss of the first tokens stays bit for bit. */
static void check_causality(struct gg_model_config config) {
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_EVALUATE, 1);
    enum { SEEN = 13 };
    float loss_weights[CONTEXT] = {0};
    for (int t = 0; t < SEEN; t++)
        loss_weights[t] = 1;
    struct gg_batch batch = model_fixture_batch(&f);
    batch.loss_weights = loss_weights;
    double before, after, earlier;
    gg_model_evaluate(f.gpt, &batch, &before);
    f.inputs[SEEN] = (f.inputs[SEEN] + 1) % VOCAB;
    gg_model_evaluate(f.gpt, &batch, &after);
    f.inputs[SEEN - 1] = (f.inputs[SEEN - 1] + 1) % VOCAB;
    gg_model_evaluate(f.gpt, &batch, &earlier);
    assert_true(before == after);
    assert_true(before != earlier);
    model_fixture_free(&f);
}

/* The last token sees as far back as all windows together reach, and no token further. */
static void check_window(struct gg_model_config config) {
    if (config.attention != GG_ATTENTION_BANDED)
        return;
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_EVALUATE, 1);
    const int64_t farthest = CONTEXT - 1 - config.layers * (config.window - 1);
    float loss_weights[CONTEXT] = {[CONTEXT - 1] = 1};
    struct gg_batch batch = model_fixture_batch(&f);
    batch.loss_weights = loss_weights;
    double before, beyond, within;
    gg_model_evaluate(f.gpt, &batch, &before);
    for (int64_t t = 0; t < farthest; t++)
        f.inputs[t] = (f.inputs[t] + 1) % VOCAB;
    gg_model_evaluate(f.gpt, &batch, &beyond);
    f.inputs[farthest] = (f.inputs[farthest] + 1) % VOCAB;
    gg_model_evaluate(f.gpt, &batch, &within);
    assert_true(before == beyond);
    assert_true(before != within);
    model_fixture_free(&f);
}

/* What the hook calls final is final, and everything is at last. */
static void check_hook_promises(struct gg_model_config config) {
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_TRAIN, 2);
    const struct gg_batch batch = model_fixture_batch(&f);
    double loss;
    model_fixture_train_watched(&f, &batch, &loss);
    model_fixture_free(&f);
}

/* Two micro-batches of one sequence give the gradient of one micro-batch of two. */
static void check_accumulation(struct gg_model_config config) {
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_TRAIN, 2);
    const double whole = train_loss(&f);
    const size_t bytes = (size_t)f.graph.table.local_elements * sizeof(float);
    float *gradients = gg_malloc(bytes);
    memcpy(gradients, f.gradients, bytes);
    memset(f.gradients, 0, bytes);
    double parts = 0;
    for (int i = 0; i < 2; i++) {
        struct gg_batch batch = model_fixture_batch(&f);
        batch.sequences = 1;
        batch.inputs += i * CONTEXT;
        batch.targets += i * CONTEXT;
        batch.sample_ids += i;
        double loss;
        gg_model_train(f.gpt, &batch, 1, NULL, &loss);
        parts += loss;
    }
    assert_true(fabs(whole - parts) <= 1e-6 * whole);
    for (int i = 0; i < f.graph.table.count; i++) {
        const struct gg_parameter *p = &f.graph.table.items[i];
        check_close(p->name, f.gradients + p->offset, gradients + p->offset, p->rows * p->columns, 1e-5);
    }
    free(gradients);
    model_fixture_free(&f);
}

static void check_cache_agrees(struct gg_model_config config) {
    model_fixture_check_cache(config, 1e-5, 1e-5);
}

static void check_narrowest_window(struct gg_model_config config) {
    config.window = 1;
    check_window(config);
    if (config.attention != GG_ATTENTION_DENSE)
        check_cache_agrees(config);
}

static void finite_differences(void **state) {
    (void)state;
    on_the_family(check_finite_differences);
}

static void causality(void **state) {
    (void)state;
    on_the_family(check_causality);
}

/* Also of one key, which is the query's own. */
static void window(void **state) {
    (void)state;
    on_the_family(check_window);
    on_the_family(check_narrowest_window);
}

static void hook_promises(void **state) {
    (void)state;
    on_the_family(check_hook_promises);
}

static void accumulation(void **state) {
    (void)state;
    on_the_family(check_accumulation);
}

/* Also of a context, and a window, that end within one of attention's blocks of keys. */
static void cache_agrees(void **state) {
    (void)state;
    on_the_family(check_cache_agrees);
    check_cache_agrees(variant_config("model.layers=1 model.width=16 model.context=300 model.vocab=50 "
                                      "model.attention=banded model.window=70" VARIANT_LLAMA));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finite_differences), cmocka_unit_test(causality),    cmocka_unit_test(window),
        cmocka_unit_test(hook_promises),      cmocka_unit_test(accumulation), cmocka_unit_test(cache_agrees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
