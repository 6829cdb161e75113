/* The model against PyTorch: tests/golden/make_model_golden.py made the numbers. */
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "tests/model_fixture.h"
#include "tests/optimizer_update.h"

static const struct gg_model_config tiny = {
    .layers = 2, .heads = 3, .width = 24, .context = 20, .vocab = 101, .padded_vocab = 128};
enum { SEQUENCES = 3, TOKENS = 60 };

static FILE *golden;

static void read_floats(float *values, int64_t count) {
    assert_int_equal(fread(values, sizeof *values, (size_t)count, golden), count);
}

static void read_parameters(const struct gg_parameter_table *table, float *buffer) {
    for (int i = 0; i < table->count; i++)
        read_floats(buffer + table->items[i].offset, table->items[i].rows * table->items[i].columns);
}

static void read_ids(int32_t *ids) {
    float values[TOKENS];
    read_floats(values, TOKENS);
    for (int i = 0; i < TOKENS; i++)
        ids[i] = (int32_t)values[i];
}

static void check_parameters(const struct gg_parameter_table *table, const float *a, const float *b,
                             double tolerance) {
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        check_close(p->name, a + p->offset, b + p->offset, p->rows * p->columns, tolerance);
    }
}

static void loss_and_gradients(struct model_fixture *f, const float *loss_weights, float scale, bool mean) {
    float expected;
    float *gradients = gg_calloc((size_t)f->graph.table.local_elements, sizeof *gradients);
    read_floats(&expected, 1);
    read_parameters(&f->graph.table, gradients);
    struct gg_batch batch = model_fixture_batch(f);
    batch.loss_weights = loss_weights;
    double loss;
    memset(f->gradients, 0, (size_t)f->graph.table.local_elements * sizeof *f->gradients);
    gg_model_train(f->gpt, &batch, scale, NULL, &loss);
    const float got = (float)(mean ? loss / TOKENS : loss);
    check_close("loss", &got, &expected, 1, 1e-6);
    check_parameters(&f->graph.table, f->gradients, gradients, 2e-5);
    free(gradients);
}

/* AdamW with clipping and decay of matrices, as PyTorch's. */
static void twenty_steps(struct model_fixture *f) {
    enum { STEPS = 20 };
    float expected[STEPS], losses[STEPS];
    read_floats(expected, STEPS);
    const int64_t elements = f->graph.table.local_elements;
    float *first = gg_calloc((size_t)elements, sizeof *first),
          *second = gg_calloc((size_t)elements, sizeof *second);
    const struct gg_batch batch = model_fixture_batch(f);
    for (int step = 0; step < STEPS; step++) {
        double loss;
        memset(f->gradients, 0, (size_t)elements * sizeof *f->gradients);
        gg_model_train(f->gpt, &batch, 1.0f / TOKENS, NULL, &loss);
        losses[step] = (float)(loss / TOKENS);
        const double norm = sqrt(gg_gradient_square_sum(&f->graph.table, 0, elements, f->gradients));
        adamw_update(&f->graph.table, 0, elements, 1e-3, step + 1, norm > 1 ? 1 / norm : 1, f->gradients,
                     first, second, f->weights, NULL);
    }
    check_close("losses of 20 steps", losses, expected, STEPS, 1e-5);
    float *after = gg_calloc((size_t)elements, sizeof *after);
    read_parameters(&f->graph.table, after);
    /* A key's bias adds the same to all scores of a query: its gradient is zero but for rounding, which Adam
     * blows up to whole steps of any sign. It is the one tensor part that cannot be compared. */
    for (int i = 0; i < f->graph.table.count; i++) {
        const struct gg_parameter *p = &f->graph.table.items[i];
        if (strstr(p->name, "c_attn.bias") != NULL)
            memcpy(after + p->offset + tiny.width, f->weights + p->offset + tiny.width,
                   (size_t)tiny.width * sizeof *after);
    }
    check_parameters(&f->graph.table, f->weights, after, 1e-4);
    free(first);
    free(second);
    free(after);
}

static void matches_pytorch(void **state) {
    (void)state;
    char *path = gg_format("%s/tests/golden/gpt2_tiny.f32", getenv("GG_SOURCE"));
    golden = fopen(path, "rb");
    assert_non_null(golden);
    free(path);
    struct model_fixture f;
    model_fixture_make(&f, tiny, GG_MODEL_TRAIN, SEQUENCES);
    float loss_weights[TOKENS];
    memset(f.weights, 0, (size_t)f.graph.table.local_elements * sizeof *f.weights);
    read_parameters(&f.graph.table, f.weights);
    read_ids(f.inputs);
    read_ids(f.targets);
    read_floats(loss_weights, TOKENS);

    loss_and_gradients(&f, NULL, 1.0f / TOKENS, true);
    loss_and_gradients(&f, loss_weights, 0.01f, false);

    twenty_steps(&f);

    fclose(golden);
    model_fixture_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches_pytorch)};
    printf("matmul: %s in fp32\n", gg_matmul_maker(GG_PRECISION_FP32));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
