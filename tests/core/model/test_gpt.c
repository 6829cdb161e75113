/* Properties of the model: finite differences, causality, the gradient hook's promises, the key-value cache.
 */
#include "tests/check.h"

#include "tests/model_fixture.h"

static const struct gg_model_config small = {.layers = 2,
                                             .heads = 2,
                                             .width = 16,
                                             .context = 24,
                                             .vocab = 50,
                                             .padded_vocab = 64,
                                             .dropout = 0.2,
                                             .seed = 9};

static double train_loss(struct model_fixture *f) {
    const struct gg_batch batch = model_fixture_batch(f);
    double loss;
    memset(f->gradients, 0, (size_t)f->graph.table.local_elements * sizeof *f->gradients);
    gg_model_train(f->gpt, &batch, 1, NULL, &loss);
    return loss;
}

/* Along a random direction of each tensor, with dropout on: the masks must be the same in both passes. */
static void finite_differences(void **state) {
    (void)state;
    struct model_fixture f;
    model_fixture_make(&f, small, GG_MODEL_TRAIN, 2);
    const size_t bytes = (size_t)f.graph.table.local_elements * sizeof(float);
    float *gradients = gg_malloc(bytes), *weights = gg_malloc(bytes);
    train_loss(&f);
    memcpy(gradients, f.gradients, bytes);
    memcpy(weights, f.weights, bytes);
    for (int i = 0; i < f.graph.table.count; i++) {
        const struct gg_parameter *p = &f.graph.table.items[i];
        const int64_t count = p->rows * p->columns;
        const double step = 4e-3 / sqrt((double)count);
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
static void causality(void **state) {
    (void)state;
    struct model_fixture f;
    model_fixture_make(&f, small, GG_MODEL_EVALUATE, 1);
    enum { SEEN = 13 };
    float loss_weights[24] = {0};
    for (int t = 0; t < SEEN; t++)
        loss_weights[t] = 1;
    struct gg_batch batch = model_fixture_batch(&f);
    batch.loss_weights = loss_weights;
    double before, after, earlier;
    gg_model_evaluate(f.gpt, &batch, &before);
    f.inputs[SEEN] = (f.inputs[SEEN] + 1) % 50;
    gg_model_evaluate(f.gpt, &batch, &after);
    f.inputs[SEEN - 1] = (f.inputs[SEEN - 1] + 1) % 50;
    gg_model_evaluate(f.gpt, &batch, &earlier);
    assert_true(before == after);
    assert_true(before != earlier);
    model_fixture_free(&f);
}

static void hook_promises(void **state) {
    (void)state;
    struct model_fixture f;
    model_fixture_make(&f, small, GG_MODEL_TRAIN, 2);
    const struct gg_batch batch = model_fixture_batch(&f);
    double loss;
    model_fixture_train_watched(&f, &batch, &loss);
    model_fixture_free(&f);
}

/* Two micro-batches of one sequence give the gradient of one micro-batch of two. */
static void accumulation(void **state) {
    (void)state;
    struct model_fixture f;
    model_fixture_make(&f, small, GG_MODEL_TRAIN, 2);
    const double whole = train_loss(&f);
    const size_t bytes = (size_t)f.graph.table.local_elements * sizeof(float);
    float *gradients = gg_malloc(bytes);
    memcpy(gradients, f.gradients, bytes);
    memset(f.gradients, 0, bytes);
    double parts = 0;
    for (int i = 0; i < 2; i++) {
        struct gg_batch batch = model_fixture_batch(&f);
        batch.sequences = 1;
        batch.inputs += i * small.context;
        batch.targets += i * small.context;
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

static void cache_agrees(void **state) {
    (void)state;
    model_fixture_check_cache(small, 1e-5, 1e-5);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(finite_differences), cmocka_unit_test(causality),
                                       cmocka_unit_test(hook_promises), cmocka_unit_test(accumulation),
                                       cmocka_unit_test(cache_agrees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
