/* What a model's page gives: parameters, products, FLOPs, and memory that no two live tensors share. */
#include "core/model/graph_figures.h"
#include "tests/check.h"

#include "core/model/lifetimes_internal.h"
#include "core/model/model.h"
#include "core/plan/legality.h"
#include "tests/model_fixture.h"

static const struct gg_shards alone = {.feature_shards = 1, .token_shards = 1};

static struct gg_graph graph_of(int64_t mlp_width, struct gg_shards shards) {
    const struct gg_model_config config = {.layers = 3,
                                           .heads = 6,
                                           .width = 48,
                                           .context = 20,
                                           .mlp_width = mlp_width,
                                           .vocab = 101,
                                           .padded_vocab = 192,
                                           .dropout = 0.1};
    struct gg_graph graph;
    fixture_graph(config, &shards, &graph);
    return graph;
}

/* GPT-2's closed forms (Radford et al. 2019; Kaplan et al. 2020, table 1), which the code does not use. */
static void closed_forms(void **state) {
    (void)state;
    const int64_t widths[] = {0, 192, 96, 60};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct gg_graph graph = graph_of(widths[i], alone);
        const int64_t layers = 3, w = 48, v = 101, t = 20, f = widths[i] > 0 ? widths[i] : 4 * w;
        const int64_t maps = 4 * w * w + 2 * w * f, vectors = 4 * w + 3 * w + w + f + w;
        assert_int_equal(gg_graph_parameter_count(&graph), (v + t) * w + layers * (maps + vectors) + 2 * w);
        const double flops = 6.0 * (double)(layers * maps + v * w) + 6.0 * (double)(layers * w * t);
        assert_true(gg_graph_flops_per_token(&graph) == flops);
        gg_graph_free(&graph);
    }
}

static void names_and_products(void **state) {
    (void)state;
    struct gg_graph graph = graph_of(60, alone);
    const char *const products[] = {"attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"};
    const char *name;
    for (int i = 0; i < 12; i++) {
        char expected[80];
        snprintf(expected, sizeof expected, "transformer.h.%d.%s.weight", i / 4, products[i % 4]);
        const struct gg_linear *linear = gg_graph_linear(&graph, i, &name);
        assert_string_equal(name, expected);
        assert_int_equal(linear->out, i % 4 == 0 ? 144 : i % 4 == 2 ? 60 : 48);
        assert_int_equal(linear->in, i % 4 == 3 ? 60 : 48);
    }
    const struct gg_linear *head = gg_graph_linear(&graph, 12, &name);
    assert_string_equal(name, "transformer.wte.weight");
    assert_true(head->transposed && head->out == 192 && gg_graph_linear(&graph, 13, &name) == NULL);
    assert_string_equal(graph.table.items[0].name, "transformer.wte.weight");
    assert_string_equal(graph.table.items[2].name, "transformer.h.0.ln_1.weight");
    assert_string_equal(graph.table.items[graph.table.count - 1].name, "transformer.ln_f.bias");
    gg_graph_free(&graph);
}

/* The parts of all ranks of a grid make up every matrix, whatever the MLP's width. */
static void parts_make_the_whole(void **state) {
    (void)state;
    struct gg_graph whole = graph_of(60, alone);
    int64_t elements = 0;
    for (int p = 0; p < 3; p++)
        for (int q = 0; q < 2; q++) {
            struct gg_graph part = graph_of(60, (struct gg_shards){3, p, 2, q});
            for (int i = 0; i < part.table.count; i++)
                if (part.table.items[i].layout == GG_LAYOUT_MATRIX)
                    elements += part.table.items[i].local_rows * part.table.items[i].local_columns;
            gg_graph_free(&part);
        }
    for (int i = 0; i < whole.table.count; i++)
        if (whole.table.items[i].layout == GG_LAYOUT_MATRIX)
            elements -= whole.table.items[i].rows * whole.table.items[i].columns;
    assert_int_equal(elements, 0);
    gg_graph_free(&whole);
}

static void mlp_width_must_be_divided(void **state) {
    (void)state;
    struct gg_model_settings model = {0}; /* 6 heads, width 384 */
    struct gg_batch_settings batch = {0}; /* 32 sequences, micro-batches of 8 */
    char grid[] = "2x1";
    struct gg_parallel_settings parallel = {.grid = grid};
    const struct gg_plan_request request = {.model = &model, .batch = &batch, .parallel = &parallel};
    struct gg_place place;
    gg_options_defaults(&gg_model_setting_rows, &model);
    gg_options_defaults(&gg_batch_setting_rows, &batch);
    model.mlp_width = 1000;
    CHECK_OK(gg_legality_grid(&request, 2, 1, &place));
    assert_int_equal(place.shards.feature_index, 1);
    grid[0] = '3';
    CHECK_FAILS(gg_legality_grid(&request, 3, 0, &place), GG_USAGE,
                "3 feature shards do not divide model.mlp_width 1000");
}

/* Buffers that live at the same time stand apart; all stand on cache lines within what is announced. */
static void placed_apart(void **state) {
    (void)state;
    enum { COUNT = 300, TIMES = 100 };
    struct gg_buffer_list buffers = {0};
    size_t alive[TIMES] = {0}, most = 0;
    for (int i = 0; i < COUNT; i++) {
        const int first = (int)(gg_random_bits(1, 0, (uint64_t)i) % TIMES);
        const int last = first + (int)(gg_random_bits(1, 1, (uint64_t)i) % (TIMES / 4));
        const int index = gg_buffer_append(&buffers, 1 + gg_random_bits(1, 2, (uint64_t)i) % 5000);
        gg_buffer_use(&buffers, index, last < TIMES ? last : TIMES - 1);
        gg_buffer_use(&buffers, index, first);
        for (int t = buffers.items[index].first; t <= buffers.items[index].last; t++)
            alive[t] += buffers.items[index].bytes;
    }
    gg_buffers_place(&buffers);
    for (int i = 0; i < COUNT; i++) {
        const struct gg_buffer *a = &buffers.items[i];
        assert_true(a->offset % 64 == 0 && a->offset + a->bytes <= buffers.bytes);
        for (int k = 0; k < i; k++) {
            const struct gg_buffer *b = &buffers.items[k];
            assert_true(a->last < b->first || b->last < a->first || a->offset + a->bytes <= b->offset ||
                        b->offset + b->bytes <= a->offset);
        }
    }
    for (int t = 0; t < TIMES; t++)
        most = alive[t] > most ? alive[t] : most;
    printf("%zu bytes for at most %zu alive\n", buffers.bytes, most);
    assert_true(buffers.bytes >= most && (double)buffers.bytes < 1.25 * (double)most);
    gg_buffers_free(&buffers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms),         cmocka_unit_test(names_and_products),
        cmocka_unit_test(parts_make_the_whole), cmocka_unit_test(mlp_width_must_be_divided),
        cmocka_unit_test(placed_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
