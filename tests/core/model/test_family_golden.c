/* GPT's whole family against PyTorch, and adapters of two members against PEFT: tests/golden/make_family_golden.py and
 * make_lora_golden.py made the numbers, and say what stands in the files. */
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "core/model/presets.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"
#include "tests/optimizer_update.h"

#include <glob.h>

enum { VARIANTS = 26 + 2, SEQUENCES = 2, STEPS = 20 };

struct golden_tensor {
    char name[80];
    long rows, columns;
    long noise_from, noise_to; /* columns whose gradient is zero but for rounding: in no sum */
    float *gradient;           /* (rows, columns) */
    float sum, square_sum;     /* of the weights after STEPS steps */
};

struct golden {
    char settings[1024];
    int count;
    struct golden_tensor *tensors;
    float loss, losses[STEPS];
};

static void read_floats(FILE *file, float *values, size_t count) {
    assert_int_equal(fread(values, sizeof *values, count, file), count);
}

static void read_golden(const char *path, struct golden *golden) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "settings %1023[^\n] tensors %d", golden->settings, &golden->count), 2);
    golden->tensors = gg_calloc((size_t)golden->count, sizeof *golden->tensors);
    long values, expected = 1 + STEPS;
    for (int i = 0; i < golden->count; i++) {
        struct golden_tensor *t = &golden->tensors[i];
        assert_int_equal(fscanf(file, " %79s %ld %ld %ld %ld", t->name, &t->rows, &t->columns, &t->noise_from,
                                &t->noise_to),
                         5);
        expected += t->rows * t->columns + 2;
    }
    assert_int_equal(fscanf(file, " values %ld", &values), 1);
    assert_int_equal(values, expected);
    assert_int_equal(fgetc(file), '\n');
    read_floats(file, &golden->loss, 1);
    read_floats(file, golden->losses, STEPS);
    for (int i = 0; i < golden->count; i++) {
        struct golden_tensor *t = &golden->tensors[i];
        t->gradient = gg_calloc((size_t)(t->rows * t->columns), sizeof *t->gradient);
        read_floats(file, t->gradient, (size_t)(t->rows * t->columns));
        read_floats(file, &t->sum, 1);
        read_floats(file, &t->square_sum, 1);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

static void free_golden(struct golden *golden) {
    for (int i = 0; i < golden->count; i++)
        free(golden->tensors[i].gradient);
    free(golden->tensors);
}

/* The parameter of a golden tensor's name: every one is there, in its shape, and no other. */
static const struct gg_parameter *parameter_of(const struct gg_parameter_table *table,
                                               const struct golden_tensor *tensor) {
    const int index = gg_parameter_find(table, tensor->name);
    if (index < 0)
        fail_msg("no parameter %s", tensor->name);
    const struct gg_parameter *p = &table->items[index];
    if (p->rows != tensor->rows || p->columns != tensor->columns)
        fail_msg("%s is %lld x %lld, not %ld x %ld", p->name, (long long)p->rows, (long long)p->columns,
                 tensor->rows, tensor->columns);
    return p;
}

static void fill(struct model_fixture *f) {
    const struct gg_parameter_table *table = &f->graph.table;
    memset(f->weights, 0, (size_t)table->local_elements * sizeof *f->weights);
    for (int i = 0; i < table->count; i++)
        for (int64_t e = 0; e < table->items[i].rows * table->items[i].columns; e++)
            f->weights[table->items[i].offset + e] = named_weight(table->items[i].name, e);
    for (int64_t i = 0; i < SEQUENCES * f->graph.config.context; i++) {
        f->inputs[i] = (int32_t)(named_bits("inputs", i) % (uint64_t)f->graph.config.vocab);
        f->targets[i] = (int32_t)(named_bits("targets", i) % (uint64_t)f->graph.config.vocab);
    }
}

static void make(struct model_fixture *f, const struct golden *golden, const char *settings,
                 enum gg_recompute recompute) {
    struct gg_model_config config = variant_config(settings);
    config.recompute = recompute;
    config.lora = variant_lora(settings);
    model_fixture_make(f, config, GG_MODEL_TRAIN, SEQUENCES);
    gg_options_free(&gg_lora_setting_rows, &config.lora);
    int trained = 0;
    for (int i = 0; i < f->graph.table.count; i++)
        trained += f->graph.table.items[i].trained;
    assert_int_equal(trained, golden->count);
    fill(f);
}

/* Gradients of the mean loss, which is returned. */
static double train(struct model_fixture *f) {
    const int64_t tokens = SEQUENCES * f->graph.config.context;
    const struct gg_batch batch = model_fixture_batch(f);
    double loss;
    memset(f->gradients, 0, (size_t)f->graph.table.local_elements * sizeof *f->gradients);
    gg_model_train(f->gpt, &batch, 1.0f / (float)tokens, NULL, &loss);
    return loss / (double)tokens;
}

static bool is_noise(const struct golden_tensor *tensor, int64_t element) {
    const int64_t column = element % tensor->columns;
    return column >= tensor->noise_from && column < tensor->noise_to;
}

static void check_gradient(const struct golden_tensor *tensor, const float *gradient) {
    const int64_t count = tensor->rows * tensor->columns;
    float *kept = gg_calloc((size_t)count, sizeof *kept), *expected = gg_calloc((size_t)count, sizeof *kept);
    for (int64_t i = 0; i < count; i++) {
        const bool noise = is_noise(tensor, i);
        if (noise && !(fabsf(gradient[i]) < 1e-6f))
            fail_msg("%s: %.3g at %lld, expected zero but for rounding", tensor->name, (double)gradient[i],
                     (long long)i);
        kept[i] = noise ? 0 : gradient[i];
        expected[i] = noise ? 0 : tensor->gradient[i];
    }
    check_close(tensor->name, kept, expected, count, 2e-5);
    free(kept);
    free(expected);
}

static void loss_and_gradients(const struct golden *golden, const char *settings) {
    struct model_fixture f;
    make(&f, golden, settings, GG_RECOMPUTE_NONE);
    const double loss = train(&f);
    const float mean = (float)loss;
    check_close("loss", &mean, &golden->loss, 1, 1e-6);
    for (int i = 0; i < golden->count; i++)
        check_gradient(&golden->tensors[i],
                       f.gradients + parameter_of(&f.graph.table, &golden->tensors[i])->offset);
    for (int recompute = GG_RECOMPUTE_ATTENTION; recompute <= GG_RECOMPUTE_BLOCK; recompute++) {
        struct model_fixture recomputed;
        make(&recomputed, golden, settings, (enum gg_recompute)recompute);
        const double again = train(&recomputed);
        assert_memory_equal(&again, &loss, sizeof loss);
        assert_memory_equal(recomputed.gradients, f.gradients,
                            (size_t)f.graph.table.trained_elements * sizeof *f.gradients);
        model_fixture_free(&recomputed);
    }
    model_fixture_free(&f);
}

/* All presets of a model's kind (gpt3-small, gpt3-xl, ...), which differ in the sizes that the file gives. */
static void presets_of_the_kind(const struct golden *golden) {
    const char *word = strstr(golden->settings, "model.preset=");
    if (word == NULL)
        return;
    word += strlen("model.preset=");
    for (int i = 0; gg_preset_names[i] != NULL; i++) {
        if (strncmp(gg_preset_names[i], word, strcspn(word, "- ")) != 0)
            continue;
        char *settings = gg_format("%s model.preset=%s", golden->settings, gg_preset_names[i]);
        printf("%s\n", gg_preset_names[i]);
        loss_and_gradients(golden, settings);
        free(settings);
    }
}

/* Relative to the sums that they would be if no element were negative. */
static void check_sums(const struct golden_tensor *tensor, const float *weights) {
    double sum = 0, absolute = 0, square = 0;
    for (int64_t i = 0; i < tensor->rows * tensor->columns; i++) {
        const double weight = is_noise(tensor, i) ? 0 : (double)weights[i];
        sum += weight;
        absolute += fabs(weight);
        square += weight * weight;
    }
    if (!(fabs(sum - (double)tensor->sum) <= 1e-5 * absolute &&
          fabs(square - (double)tensor->square_sum) <= 1e-5 * square))
        fail_msg("%s after %d steps: sum %.9g, expected %.9g; sum of squares %.9g, expected %.9g",
                 tensor->name, (int)STEPS, sum, (double)tensor->sum, square, (double)tensor->square_sum);
}

/* AdamW with clipping and decay of matrices, as PyTorch's. */
static void twenty_steps(const struct golden *golden) {
    struct model_fixture f;
    make(&f, golden, golden->settings, GG_RECOMPUTE_NONE);
    const struct gg_parameter_table *table = &f.graph.table;
    float *exp_avg = gg_calloc((size_t)table->local_elements, sizeof *exp_avg),
          *exp_avg_sq = gg_calloc((size_t)table->local_elements, sizeof *exp_avg_sq), losses[STEPS];
    for (int step = 0; step < STEPS; step++) {
        losses[step] = (float)train(&f);
        const double norm = sqrt(gg_gradient_square_sum(table, 0, table->trained_elements, f.gradients));
        adamw_update(table, 0, table->trained_elements, 1e-3, step + 1, norm > 1 ? 1 / norm : 1, f.gradients,
                     exp_avg, exp_avg_sq, f.weights, NULL);
    }
    check_close("losses of 20 steps", losses, golden->losses, STEPS, 1e-5);
    for (int i = 0; i < golden->count; i++)
        check_sums(&golden->tensors[i], f.weights + parameter_of(table, &golden->tensors[i])->offset);
    free(exp_avg);
    free(exp_avg_sq);
    model_fixture_free(&f);
}

static void matches_pytorch(void **state) {
    struct golden golden = {0};
    read_golden(*state, &golden);
    printf("%s\n", golden.settings);
    loss_and_gradients(&golden, golden.settings);
    presets_of_the_kind(&golden);
    twenty_steps(&golden);
    free_golden(&golden);
}

int main(void) {
    struct CMUnitTest tests[VARIANTS] = {{0}};
    char *pattern = gg_format("%s/tests/golden/{family,lora}/*.golden", getenv("GG_SOURCE"));
    glob_t found;
    if (glob(pattern, GLOB_BRACE, NULL, &found) != 0 || found.gl_pathc != VARIANTS) {
        fprintf(stderr, "not %d files: %s\n", (int)VARIANTS, pattern);
        return 1;
    }
    for (size_t i = 0; i < VARIANTS; i++)
        tests[i] = (struct CMUnitTest){.name = strrchr(found.gl_pathv[i], '/') + 1,
                                       .test_func = matches_pytorch,
                                       .initial_state = found.gl_pathv[i]};
    printf("matmul: %s in fp32\n", gg_matmul_maker(GG_PRECISION_FP32));
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    globfree(&found);
    free(pattern);
    return failed;
}
