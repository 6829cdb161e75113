/* GPT's whole family on every P x Q grid of the job's ranks against the same model on one rank: loss, and each
 * gradient. */
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "core/plan/legality.h"
#include "mpi/grid/grid.h"
#include "mpi/grid/pblas.h"
#include "mpi/world/world.h"
#include "tests/model_fixture.h"
#include "tests/model_variants.h"

enum { SEQUENCES = 12 };
static struct gg_world world;

/* Divided by 1, 2, 3, 4 and 6 wherever a grid wants it. */
static const char sizes[] = "model.layers=2 model.heads=12 model.width=48 model.context=10 model.vocab=181 "
                            "model.dropout=0.1";
enum { CONTEXT = 10, VOCAB = 181, PADDED_VOCAB = 192 };

/* Members of the family; P must divide the key-value heads where there are fewer of them. */
#define LLAMA                                                                                                \
    "model.norm=rmsnorm model.positions=rotary model.activation=swiglu model.biases=false "                  \
    "model.mlp_width=96 "
static const char *const variants[] = {
    "" /* GPT-2 */,
    "model.norm_place=post" /* GPT-1 */,
    "model.attention=alternating model.window=3" /* GPT-3 */,
    LLAMA "model.tied=false model.kv_heads=6",
    LLAMA "model.qk_norm=true model.kv_heads=4 model.head_size=12" /* Qwen3 */,
    LLAMA "model.norm_place=post model.kv_heads=2 model.attention=banded model.window=4",
    "model.qk_norm=true model.head_size=12 model.positions=rotary model.activation=swiglu model.tied=false",
    "model.positions=sinusoidal model.activation=relu model.norm=rmsnorm model.head_size=3",
};
enum { GPT2 = 0, QWEN3 = 4, VARIANTS = sizeof variants / sizeof *variants };

static struct gg_model_settings settings_of(int variant) {
    char *text = gg_format("%s %s", sizes, variants[variant]);
    const struct gg_model_settings settings = variant_settings(text);
    free(text);
    return settings;
}

static struct gg_model_config config_of(int variant) {
    if (world.rank == 0)
        printf("%s\n", variants[variant]);
    const struct gg_model_settings settings = settings_of(variant);
    return variant_config_of(&settings);
}

/* Whether the job's ranks may be P x (ranks / P): where P divides the ranks and the key-value heads. */
static bool works(int variant, int p) {
    const struct gg_model_settings settings = settings_of(variant);
    const struct gg_batch_settings batch = {.sequences = SEQUENCES, .micro = SEQUENCES};
    char grid[16];
    snprintf(grid, sizeof grid, "%dx%d", p, world.size / p);
    const struct gg_parallel_settings parallel = {.grid = grid};
    const struct gg_plan_request request = {.model = &settings, .batch = &batch, .parallel = &parallel};
    struct gg_place place;
    if (world.size % p != 0)
        return false;
    const bool legal = gg_legality_grid(&request, world.size, world.rank, &place) == GG_OK;
    assert_true(legal == (settings.kv_heads == 0 || settings.kv_heads % p == 0));
    if (!legal)
        assert_non_null(strstr(gg_failure(), "model.kv_heads"));
    return legal;
}

/* This rank's part of a whole tensor. */
static void take_part(const struct gg_parameter_table *table, const struct gg_parameter *part,
                      const struct gg_parameter *whole, const float *from, float *to) {
    for (int64_t r = 0; r < part->local_rows; r++)
        for (int64_t c = 0; c < part->local_columns; c++) {
            const int64_t row = gg_parameter_row(table, part, r),
                          column = gg_parameter_column(table, part, c);
            to[r * part->local_columns + c] =
                row < whole->local_rows ? from[row * whole->local_columns + column] : 0;
        }
}

static void sum_replicated(const gg_grid *grid, const struct gg_parameter_table *table, float *gradients) {
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        if (p->layout == GG_LAYOUT_VECTOR)
            MPI_Allreduce(MPI_IN_PLACE, gradients + p->offset, gg_int(p->local_rows * p->local_columns),
                          MPI_FLOAT, MPI_SUM, gg_grid_token_comm(grid));
    }
}

/* How far a grid may be from one rank. In bf16 a sum of another order may be rounded the other way, one part
 * in 2^8, and what follows from it. */
struct tolerance {
    double loss, gradient;
};
static const struct tolerance fp32_tolerance = {1e-6, 2e-5}, bf16_tolerance = {1e-3, 3e-2};

/* A micro-batch on the grid: this rank's loss; gradients are overwritten. */
static double train_on_grid(const struct gg_graph *graph, const struct gg_fabric *fabric,
                            const struct gg_batch *batch, const float *weights, float *gradients) {
    gg_model *gpt;
    double loss;
    memset(gradients, 0, (size_t)graph->table.local_elements * sizeof *gradients);
    CHECK_OK(gg_model_create(graph, fabric, GG_MODEL_TRAIN, batch->sequences, weights, gradients, &gpt));
    gg_model_train(gpt, batch, 1, NULL, &loss);
    gg_model_destroy(&gpt);
    return loss;
}

/* Activations that are recomputed have the bits of those that were kept: so has all that follows from them,
 * as long as sums over ranks are taken in the same order. */
static void compare_recompute(struct gg_model_config model, const struct gg_fabric *fabric,
                              const struct gg_batch *batch, const float *weights, double kept_loss,
                              const float *kept) {
    for (int recompute = GG_RECOMPUTE_ATTENTION; recompute <= GG_RECOMPUTE_BLOCK; recompute++) {
        struct gg_graph graph;
        model.recompute = (enum gg_recompute)recompute;
        fixture_graph(model, &fabric->shards, &graph);
        const size_t bytes = (size_t)graph.table.local_elements * sizeof(float);
        float *gradients = gg_malloc(bytes);
        const double loss = train_on_grid(&graph, fabric, batch, weights, gradients);
        assert_memory_equal(&loss, &kept_loss, sizeof loss);
        assert_memory_equal(gradients, kept, bytes);
        free(gradients);
        gg_graph_free(&graph);
    }
}

/*   recompute [in] whether to compare what is recomputed, too */
static void compare_grid(const struct model_fixture *whole, double whole_loss, int p, int q,
                         struct tolerance tolerance, bool recompute) {
    gg_grid *grid;
    CHECK_OK(gg_grid_create(world.comm, p, q, 8, &grid));
    const struct gg_fabric *fabric = gg_grid_fabric(grid);
    const long tiles = gg_pblas_tiles();
    struct gg_graph graph;
    fixture_graph(whole->graph.config, &fabric->shards, &graph);
    const struct gg_parameter_table table = graph.table;
    float *weights = gg_calloc((size_t)table.local_elements, sizeof *weights);
    float *gradients = gg_calloc((size_t)table.local_elements, sizeof *gradients);
    float *expected = gg_calloc((size_t)table.local_elements, sizeof *expected);
    for (int i = 0; i < table.count; i++) {
        const struct gg_parameter *part = &table.items[i], *all = &whole->graph.table.items[i];
        take_part(&table, part, all, whole->weights + all->offset, weights + part->offset);
        take_part(&table, part, all, whole->gradients + all->offset, expected + part->offset);
    }
    const int64_t local = SEQUENCES / q, first = fabric->shards.token_index * local;
    struct gg_batch batch = model_fixture_batch(whole);
    batch.sequences = local;
    batch.inputs += first * CONTEXT;
    batch.targets += first * CONTEXT;
    batch.sample_ids += first;
    const double loss = train_on_grid(&graph, fabric, &batch, weights, gradients);
    if (recompute)
        compare_recompute(whole->graph.config, fabric, &batch, weights, loss, gradients);
    double total = fabric->shards.feature_index == 0 ? loss : 0;
    MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_DOUBLE, MPI_SUM, world.comm);
    sum_replicated(grid, &table, gradients);
    assert_true((gg_pblas_tiles() > tiles) == gg_grid_uses_our_tiles(grid));
    if (!(fabs(total - whole_loss) <= tolerance.loss * whole_loss))
        fail_msg("%dx%d: loss %.9g, expected %.9g", p, q, total, whole_loss);
    for (int i = 0; i < table.count; i++) {
        const struct gg_parameter *part = &table.items[i];
        char name[128];
        snprintf(name, sizeof name, "%dx%d %s", p, q, part->name);
        const bool key_bias =
            strstr(name, "c_attn.bias") != NULL; /* its third in the middle is zero but for noise */
        const int64_t elements = part->local_rows * part->local_columns;
        check_close(name, gradients + part->offset, expected + part->offset,
                    key_bias ? elements / 3 : elements, tolerance.gradient);
    }
    gg_graph_free(&graph);
    free(weights);
    free(gradients);
    free(expected);
    gg_grid_destroy(&grid);
}

static void compare_grids(int variant, enum gg_precision precision, bool recompute) {
    struct model_fixture whole;
    struct gg_model_config config = config_of(variant);
    config.precision = precision;
    model_fixture_make(&whole, config, GG_MODEL_TRAIN, SEQUENCES);
    double loss;
    const struct gg_batch batch = model_fixture_batch(&whole);
    gg_model_train(whole.gpt, &batch, 1, NULL, &loss);
    for (int p = 1; p <= world.size; p++)
        if (works(variant, p))
            compare_grid(&whole, loss, p, world.size / p,
                         precision == GG_PRECISION_FP32 ? fp32_tolerance : bf16_tolerance, recompute);
    model_fixture_free(&whole);
}

static void grids_agree_with_one_rank(void **state) {
    (void)state;
    for (int variant = 0; variant < VARIANTS; variant++)
        compare_grids(variant, GG_PRECISION_FP32, variant == GPT2 || variant == QWEN3);
}

static void bf16_grids_agree_with_one_rank(void **state) {
    (void)state;
    if (!gg_matmul_has_bf16())
        skip();
    compare_grids(GPT2, GG_PRECISION_BF16, true);
    compare_grids(QWEN3, GG_PRECISION_BF16, true);
}

static void compare_logits(const struct model_fixture *whole, int p, int q) {
    float expected[PADDED_VOCAB], logits[PADDED_VOCAB];
    gg_grid *grid;
    CHECK_OK(gg_grid_create(world.comm, p, q, 256, &grid));
    struct gg_graph graph;
    fixture_graph(whole->graph.config, &gg_grid_fabric(grid)->shards, &graph);
    const struct gg_parameter_table table = graph.table;
    float *weights = gg_calloc((size_t)table.local_elements, sizeof *weights);
    for (int i = 0; i < table.count; i++)
        take_part(&table, &table.items[i], &whole->graph.table.items[i],
                  whole->weights + whole->graph.table.items[i].offset, weights + table.items[i].offset);
    gg_model *gpt;
    CHECK_OK(gg_model_create(&graph, gg_grid_fabric(grid), GG_MODEL_GENERATE, 1, weights, NULL, &gpt));
    for (int t = 0; t < 6; t++) {
        gg_model_logits(whole->gpt, whole->inputs + t, 1, t, expected);
        gg_model_logits(gpt, whole->inputs + t, 1, t, logits);
        check_close("logits", logits, expected, VOCAB, 1e-5);
    }
    gg_model_destroy(&gpt);
    gg_graph_free(&graph);
    free(weights);
    gg_grid_destroy(&grid);
}

/* Logits of generation, token by token, on every grid as on one rank. */
static void logits_agree(void **state) {
    (void)state;
    for (int variant = 0; variant < VARIANTS; variant++) {
        struct model_fixture whole;
        model_fixture_make(&whole, config_of(variant), GG_MODEL_GENERATE, 1);
        for (int p = 1; p <= world.size; p++)
            if (works(variant, p))
                compare_logits(&whole, p, world.size / p);
        model_fixture_free(&whole);
    }
}

static void compare_initial_weights(const struct model_fixture *whole, int p, int q) {
    const struct gg_shards shards = {p, world.rank % p, q, world.rank / p};
    struct gg_graph graph;
    fixture_graph(whole->graph.config, &shards, &graph);
    const struct gg_parameter_table table = graph.table;
    float *weights = gg_calloc((size_t)table.local_elements, sizeof *weights);
    float *expected = gg_calloc((size_t)table.local_elements, sizeof *expected);
    gg_parameters_initialise(&table, 8, weights);
    for (int i = 0; i < table.count; i++)
        take_part(&table, &table.items[i], &whole->graph.table.items[i],
                  whole->weights + whole->graph.table.items[i].offset, expected + table.items[i].offset);
    assert_memory_equal(weights, expected, (size_t)table.local_elements * sizeof *weights);
    free(weights);
    free(expected);
    gg_graph_free(&graph);
}

/* Initial weights are the same, element by element, whatever the grid. */
static void initial_weights_agree(void **state) {
    (void)state;
    for (int variant = 0; variant < VARIANTS; variant++) {
        struct model_fixture whole;
        model_fixture_make(&whole, config_of(variant), GG_MODEL_EVALUATE, 1);
        gg_parameters_initialise(&whole.graph.table, 8, whole.weights);
        for (int p = 1; p <= world.size; p++)
            if (works(variant, p))
                compare_initial_weights(&whole, p, world.size / p);
        model_fixture_free(&whole);
    }
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(grids_agree_with_one_rank),
                                       cmocka_unit_test(bf16_grids_agree_with_one_rank),
                                       cmocka_unit_test(logits_agree),
                                       cmocka_unit_test(initial_weights_agree)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    /* A rank that failed left the others in a collective: end them all. */
    if (failed != 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    gg_world_stop(&world);
    return failed;
}
