/* A plan, made without ranks, against what each rank of each layout then takes: to the byte, and what grows with the
 * data within its bound. Rank 0 plans for all. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/kernels/matmul/matmul.h"
#include "core/plan/legality.h"
#include "jobs/replica/replica.h"

#include <stdlib.h>

static struct gg_world world;
enum { VOCAB = 187 };

/* What makes it a Llama with groups of heads and normed queries. */
static const char *const llama[][2] = {{"model.norm", "rmsnorm"},      {"model.positions", "rotary"},
                                       {"model.activation", "swiglu"}, {"model.heads", "24"},
                                       {"model.kv_heads", "12"},       {"model.head_size", "12"},
                                       {"model.qk_norm", "true"},      {"model.tied", "false"},
                                       {"model.biases", "false"}};

/* A model that is split unevenly, and more than one bucket; with adapters, of a rank that no grid divides. */
static void read_settings(struct gg_settings *settings, bool is_llama, bool adapters, const char *grid,
                          const char *precision, const char *zero, const char *recompute) {
    const char *const words[][2] = {{"model.layers", "3"},       {"model.heads", "12"},
                                    {"model.width", "384"},      {"model.context", "24"},
                                    {"model.mlp_width", "1200"}, {"model.dropout", "0.1"},
                                    {"batch.sequences", "24"},   {"batch.micro", "12"},
                                    {"parallel.grid", grid},     {"compute.precision", precision},
                                    {"parallel.zero", zero},     {"compute.recompute", recompute}};
    gg_settings_init(settings);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        CHECK_OK(gg_settings_set(settings, words[i][0], words[i][1], "test"));
    for (size_t i = 0; is_llama && i < sizeof llama / sizeof *llama; i++)
        CHECK_OK(gg_settings_set(settings, llama[i][0], llama[i][1], "test"));
    if (adapters) {
        CHECK_OK(gg_settings_set(settings, "finetune.lora.rank", "5", "test"));
        CHECK_OK(gg_settings_set(settings, "finetune.lora.dropout", "0.1", "test"));
        CHECK_OK(gg_settings_set(settings, "finetune.lora.targets",
                                 is_llama ? "[q_proj, down_proj]" : "[c_attn, c_proj]", "test"));
    }
    settings->batch.sequences = 12 * world.size;
    CHECK_OK(gg_settings_resolve(settings));
}

/* What rank 0 says that this rank will take. */
static size_t planned(const struct gg_settings *settings, enum gg_precision precision) {
    const struct gg_plan_request request = gg_settings_plan_request(settings);
    uint64_t *bytes = gg_calloc((size_t)world.size, sizeof *bytes);
    for (int rank = 0; world.rank == 0 && rank < world.size; rank++) {
        struct gg_place place;
        struct gg_model_config config;
        struct gg_graph graph;
        struct gg_plan plan;
        CHECK_OK(gg_legality_grid(&request, world.size, rank, &place));
        CHECK_OK(gg_model_configure(&settings->model, &settings->compute, 1, VOCAB, &place.shards, &config));
        config.precision = precision;
        config.lora = settings->lora;
        gg_graph_make(&config, &place.shards, &graph);
        gg_plan_make(&request, &graph, &place, false, &plan);
        bytes[rank] =
            gg_plan_memory_sum(&plan.memory) - plan.memory.products - plan.memory.exchange; /* bounds */
        gg_graph_free(&graph);
    }
    MPI_Bcast(bytes, world.size, MPI_UINT64_T, 0, world.comm);
    const size_t mine = (size_t)bytes[world.rank];
    free(bytes);
    return mine;
}

/* How gradients are summed: by replicas that each are one, that each play four, or in bf16 on the wire. */
enum summing { PLAIN, PLAYED, ROUNDED };

static void choose_summing(struct gg_settings *settings, enum summing summing, int replicas) {
    char number[16];
    if (summing == ROUNDED)
        CHECK_OK(gg_settings_set(settings, "parallel.wire", "bf16", "test"));
    if (summing != PLAYED || (replicas & (replicas - 1)) != 0)
        return;
    settings->batch.sequences = 12 * 4 * replicas;
    snprintf(number, sizeof number, "%d", 4 * replicas);
    CHECK_OK(gg_settings_set(settings, "parallel.reproducible", number, "test"));
}

static void compare(bool is_llama, bool adapters, enum summing summing, int p, int q,
                    enum gg_precision precision, const char *zero, const char *recompute) {
    char grid[32];
    snprintf(grid, sizeof grid, "%dx%d", p, q);
    struct gg_settings settings;
    struct gg_replica replica = {0};
    read_settings(&settings, is_llama, adapters, grid, precision == GG_PRECISION_BF16 ? "bf16" : "fp32", zero,
                  recompute);
    choose_summing(&settings, summing, world.size / (p * q));
    const size_t expected = planned(&settings, precision), before = gg_memory_taken();
    CHECK_OK(gg_replica_place(&world, &settings, &replica));
    CHECK_OK(gg_replica_shape(&replica, VOCAB, precision, false));
    CHECK_OK(gg_replica_open_training(&replica, false, NULL));
    const size_t taken = gg_memory_taken() - before;
    if (taken != expected)
        fail_msg("rank %d of %s, zero %s, recompute %s%s: planned %zu bytes, took %zu", world.rank, grid,
                 zero, recompute, adapters ? ", adapters" : "", expected, taken);
    gg_replica_close(&replica);
    gg_settings_free(&settings);
}

/* The memory that is planned for GPT-2 355M at a micro-batch of one sequence of 512 tokens, in fp32. */
static size_t planned_355m(const char *rank) {
    static const char *const words[][2] = {{"model.preset", "gpt2-355m"},
                                           {"model.context", "512"},
                                           {"batch.sequences", "1"},
                                           {"batch.micro", "1"}};
    const struct gg_place alone = gg_place_of(1, 1, 1, 0);
    struct gg_settings settings;
    struct gg_model_config config;
    struct gg_graph graph;
    struct gg_plan plan;
    gg_settings_init(&settings);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        CHECK_OK(gg_settings_set(&settings, words[i][0], words[i][1], "test"));
    CHECK_OK(gg_settings_set(&settings, "finetune.lora.rank", rank, "test"));
    CHECK_OK(gg_settings_resolve(&settings));
    const struct gg_plan_request request = gg_settings_plan_request(&settings);
    CHECK_OK(gg_model_configure(&settings.model, &settings.compute, 1, 50257, &alone.shards, &config));
    config.lora = settings.lora;
    gg_graph_make(&config, &alone.shards, &graph);
    gg_plan_make(&request, &graph, &alone, false, &plan);
    gg_graph_free(&graph);
    gg_settings_free(&settings);
    return gg_plan_memory_sum(&plan.memory);
}

/* That is what was taken, too (every_layout). */
static void adapters_take_less(void **state) {
    (void)state;
    const double full = (double)planned_355m("0"), adapters = (double)planned_355m("8");
    printf("GPT-2 355M: %.0f MB, adapters of rank 8: %.0f MB, %.3f of it\n", 1e-6 * full, 1e-6 * adapters,
           adapters / full);
    assert_true(adapters <= 0.45 * full);
}

/* Trains on tokens of the ids (first + i * stride) mod VOCAB; bytes that the exchange then holds. */
static size_t exchanged(struct gg_replica *r, int64_t first, int64_t stride) {
    const struct gg_batch batch = {.sequences = r->plan.local_sequences,
                                   .time = r->graph.config.context,
                                   .inputs = r->state.batch.inputs,
                                   .targets = r->state.batch.targets,
                                   .sample_ids = r->state.batch.sample_ids};
    double loss;
    for (int64_t i = 0; i < batch.sequences * batch.time; i++)
        r->state.batch.inputs[i] = (int32_t)((first + i * stride) % VOCAB);
    gg_model_train(r->model, &batch, 1, NULL, &loss);
    return gg_grid_exchange_bytes(r->grid);
}

/* Rows of the embedding between token shards: where all tokens are one shard's, the bound is what it takes. */
static void exchange(int p, int q, enum gg_precision precision) {
    char grid[32];
    snprintf(grid, sizeof grid, "%dx%d", p, q);
    struct gg_settings settings;
    struct gg_replica r = {0};
    read_settings(&settings, false, false, grid, precision == GG_PRECISION_BF16 ? "bf16" : "fp32", "0",
                  "none");
    CHECK_OK(gg_replica_place(&world, &settings, &r));
    CHECK_OK(gg_replica_shape(&r, VOCAB, precision, false));
    CHECK_OK(gg_replica_open_training(&r, false, NULL));
    const size_t most = r.plan.memory.exchange, spread = exchanged(&r, world.rank, 7);
    const size_t reached = exchanged(&r, 0, 0); /* token 0 alone, whose row the first shard has */
    if (spread > most || reached > most || (r.topology.shards.token_index == 0 && reached != most))
        fail_msg("rank %d of %s: planned %zu bytes at most, took %zu, then %zu", world.rank, grid, most,
                 spread, reached);
    if (q > 1 && spread < most / (2 * (size_t)q))
        fail_msg("rank %d of %s: planned %zu bytes at most, took %zu of tokens of all rows", world.rank, grid,
                 most, spread);
    gg_replica_close(&r);
    gg_settings_free(&settings);
}

static void every_exchange(void **state) {
    (void)state;
    for (int p = 1; p <= world.size; p++)
        for (int q = 2; p * q <= world.size; q++)
            for (int bf16 = 0; world.size % (p * q) == 0 && bf16 < (gg_matmul_has_bf16() ? 2 : 1); bf16++)
                exchange(p, q, bf16 ? GG_PRECISION_BF16 : GG_PRECISION_FP32);
}

static void every_layout(void **state) {
    (void)state;
    static const char *const recompute[] = {"none", "attention", "block"};
    for (int p = 1; p <= world.size; p++)
        for (int q = 1; p * q <= world.size; q++)
            for (int i = 0; world.size % (p * q) == 0 && i < 28; i++) {
                const bool bf16 = i / 6 % 2 == 1 || i == 25;
                if (bf16 && !gg_matmul_has_bf16())
                    continue;
                compare(i >= 12 && i != 24 && i < 26, i == 24 || i == 25,
                        i == 26   ? PLAYED
                        : i == 27 ? ROUNDED
                                  : PLAIN,
                        p, q, bf16 ? GG_PRECISION_BF16 : GG_PRECISION_FP32, i % 2 == 0 ? "0" : "1",
                        recompute[i / 2 % 3]);
            }
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_layout), cmocka_unit_test(every_exchange),
                                       cmocka_unit_test(adapters_take_less)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    /* A rank that failed left the others in a collective: end them all. */
    if (failed != 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    gg_world_stop(&world);
    return failed;
}
