/* Texts side by side in a row against the same texts alone: losses and gradients of every member of the family, with
 * heads of classes and without. And such heads' gradients against differences of losses. */
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"

#include "core/model/token_scores.h"

static const char sizes[] = "model.layers=3 model.heads=3 model.width=24 model.context=20 model.vocab=101";
enum { CONTEXT = 20, TEXTS = 4, ROWS = 2 };

/* The texts of two rows: where each begins, and how long it is. */
static const struct place {
    int row, start, length;
} places[TEXTS] = {{0, 0, 7}, {0, 7, 1}, {0, 8, 12}, {1, 0, 15}};

struct marks {
    float weights[TEXTS * CONTEXT], label_weights[TEXTS * CONTEXT];
    int32_t starts[TEXTS * CONTEXT], labels[TEXTS * CONTEXT], inputs[TEXTS * CONTEXT],
        targets[TEXTS * CONTEXT];
};

/* Puts text i to a place; what it counts does not depend on where it stands. */
static void put(struct marks *m, const struct model_fixture *f, int i, int row, int start) {
    for (int t = 0; t < places[i].length; t++) {
        const int at = row * CONTEXT + start + t, from = i * CONTEXT + t;
        m->inputs[at] = f->inputs[from % (int)(f->sequences * CONTEXT)];
        m->targets[at] = f->targets[from % (int)(f->sequences * CONTEXT)];
        m->weights[at] = t == 0 ? 0 : 0.5f + 0.1f * (float)t;
        m->starts[at] = start;
    }
    const int last = row * CONTEXT + start + places[i].length - 1;
    m->labels[last] = i % 3;
    m->label_weights[last] = 1;
}

/* Tokens that are no text's stand for themselves. */
static void clear(struct marks *m) {
    memset(m, 0, sizeof *m);
    for (int i = 0; i < TEXTS * CONTEXT; i++)
        m->starts[i] = i % CONTEXT;
}

static struct gg_batch batch_of(const struct model_fixture *f, const struct marks *m, int rows) {
    return (struct gg_batch){.sequences = rows,
                             .time = CONTEXT,
                             .inputs = m->inputs,
                             .targets = m->targets,
                             .loss_weights = m->weights,
                             .starts = m->starts,
                             .labels = m->labels,
                             .label_weights = m->label_weights,
                             .sample_ids = f->sample_ids};
}

static struct gg_model_config config_of(const char *variant) {
    char *text = gg_format("%s %s", sizes, variant);
    const struct gg_model_config config = variant_config(text);
    free(text);
    return config;
}

/* The same classes, as likely. */
static void check_classes(const struct model_fixture *f, const struct gg_batch *apart,
                          const struct gg_batch *together, double tolerance) {
    float a[TEXTS * CONTEXT], b[TEXTS * CONTEXT], a_first[TEXTS * CONTEXT], b_first[TEXTS * CONTEXT];
    int32_t ranks[TEXTS * CONTEXT], a_told[TEXTS * CONTEXT], b_told[TEXTS * CONTEXT];
    struct gg_token_scores scores = {true, a, ranks, 1, a_told, a_first};
    gg_model_score(f->gpt, apart, &scores);
    scores = (struct gg_token_scores){true, b, ranks, 1, b_told, b_first};
    gg_model_score(f->gpt, together, &scores);
    for (int i = 0; i < TEXTS; i++) {
        const int alone = i * CONTEXT + places[i].length - 1,
                  packed = places[i].row * CONTEXT + places[i].start + places[i].length - 1;
        assert_int_equal(a_told[alone], b_told[packed]);
        assert_true(fabsf(a[alone] - b[packed]) <= 20 * tolerance * (1 + fabsf(a[alone])));
        assert_true(fabsf(a_first[alone] - b_first[packed]) <= 20 * tolerance * (1 + fabsf(a_first[alone])));
        assert_true((ranks[packed] == 0) == (b_told[packed] == i % 3));
    }
}

static void compare(const char *variant, enum gg_precision precision, double tolerance) {
    struct gg_model_config config = config_of(variant);
    config.precision = precision;
    struct model_fixture f;
    model_fixture_make(&f, config, GG_MODEL_TRAIN, TEXTS);
    const size_t bytes = (size_t)f.graph.table.local_elements * sizeof(float);
    float *expected = gg_malloc(bytes);
    static struct marks alone, packed;
    clear(&alone);
    clear(&packed);
    for (int i = 0; i < TEXTS; i++) {
        put(&alone, &f, i, i, 0);
        put(&packed, &f, i, places[i].row, places[i].start);
    }
    const struct gg_batch apart = batch_of(&f, &alone, TEXTS), together = batch_of(&f, &packed, ROWS);
    double loss, wanted;
    memset(f.gradients, 0, bytes);
    gg_model_train(f.gpt, &apart, 1, NULL, &wanted);
    memcpy(expected, f.gradients, bytes);
    model_fixture_train_watched(&f, &together, &loss);
    if (!(fabs(loss - wanted) <= tolerance * wanted))
        fail_msg("%s: loss %.9g side by side, %.9g alone", variant, loss, wanted);
    for (int i = 0; i < f.graph.table.count; i++) {
        const struct gg_parameter *p = &f.graph.table.items[i];
        check_close(p->name, f.gradients + p->offset, expected + p->offset, p->local_rows * p->local_columns,
                    20 * tolerance);
    }
    gg_model_evaluate(f.gpt, &together, &loss);
    assert_true(fabs(loss - wanted) <= tolerance * wanted);
    if (config.classes > 0)
        check_classes(&f, &apart, &together, tolerance);
    free(expected);
    model_fixture_free(&f);
}

#define CLASSES " model.labels=[a,b,c]"

static void side_by_side(void **state) {
    (void)state;
    for (int i = 0; i < FAMILY; i++)
        compare(family[i], GG_PRECISION_FP32, 2e-6);
    compare(CLASSES, GG_PRECISION_FP32, 2e-6);
    compare(CLASSES " model.lm_weight=0.5 " VARIANT_LLAMA, GG_PRECISION_FP32, 2e-6);
    if (gg_matmul_has_bf16())
        compare(CLASSES " model.lm_weight=0.5", GG_PRECISION_BF16, 2e-3);
}

static double loss_at(const struct model_fixture *f, const struct gg_batch *batch,
                      const struct gg_parameter *p, double step) {
    float *w = f->weights + p->offset;
    const int64_t count = p->local_rows * p->local_columns;
    float *kept = gg_malloc((size_t)count * sizeof *kept);
    memcpy(kept, w, (size_t)count * sizeof *w);
    for (int64_t i = 0; i < count; i++)
        w[i] += (float)(step * gg_random_normal(9, 0, (uint64_t)i));
    double loss;
    gg_model_evaluate(f->gpt, batch, &loss);
    memcpy(w, kept, (size_t)count * sizeof *w);
    free(kept);
    return loss;
}

/* Along a direction drawn for each tensor. */
static void differences(void **state) {
    (void)state;
    static const char *const variants[] = {CLASSES, CLASSES " model.lm_weight=0.5",
                                           CLASSES " model.lm_weight=0.5 model.tied=false"};
    for (int v = 0; v < 3; v++) {
        struct model_fixture f;
        model_fixture_make(&f, config_of(variants[v]), GG_MODEL_TRAIN, TEXTS);
        static struct marks packed;
        clear(&packed);
        for (int i = 0; i < TEXTS; i++)
            put(&packed, &f, i, places[i].row, places[i].start);
        const struct gg_batch batch = batch_of(&f, &packed, ROWS);
        double loss;
        model_fixture_train_watched(&f, &batch, &loss);
        for (int i = 0; i < f.graph.table.count; i++) {
            const struct gg_parameter *p = &f.graph.table.items[i];
            const double step = 1e-3;
            double slope = 0, size = 0;
            for (int64_t k = 0; k < p->local_rows * p->local_columns; k++) {
                const double d = gg_random_normal(9, 0, (uint64_t)k);
                slope += d * (double)f.gradients[p->offset + k];
                size += fabs(d * (double)f.gradients[p->offset + k]);
            }
            const double measured =
                (loss_at(&f, &batch, p, step) - loss_at(&f, &batch, p, -step)) / (2 * step);
            if (!(fabs(measured - slope) <= 0.01 * size + 1e-4 * loss))
                fail_msg("%s: slope %.6g, by differences %.6g", p->name, slope, measured);
        }
        model_fixture_free(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(side_by_side), cmocka_unit_test(differences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
