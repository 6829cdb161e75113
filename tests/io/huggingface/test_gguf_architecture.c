/* Which models llama.cpp has a graph for, and the settings that stand in the way of the others; every tensor of those
 * that it has is given a name of its own. */
#include "tests/check.h"

#include "core/model/graph.h"
#include "io/huggingface/gguf_architecture.h"

#include <string.h>

static const struct gg_model_settings gpt2 = {.layers = 2,
                                              .heads = 3,
                                              .width = 48,
                                              .context = 10,
                                              .vocab = 187,
                                              .norm_eps = 1e-5,
                                              .rope_theta = 10000,
                                              .tied = true,
                                              .biases = true};

static struct gg_model_settings llama(void) {
    struct gg_model_settings s = gpt2;
    s.norm = GG_NORM_RMSNORM;
    s.activation = GG_ACTIVATION_SWIGLU;
    s.positions = GG_POSITIONS_ROTARY;
    s.biases = false;
    s.tied = false;
    return s;
}

static gg_status find(const struct gg_model_settings *settings, struct gg_graph *graph,
                      struct gg_gguf_architecture *architecture) {
    static const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    static const struct gg_compute_settings compute = {0};
    struct gg_model_config config;
    CHECK_OK(gg_model_configure(settings, &compute, 0, settings->vocab, &whole, &config));
    gg_graph_make(&config, &whole, graph);
    return gg_gguf_architecture(settings, &graph->table, architecture);
}

static void check_has(const struct gg_model_settings *settings, const char *name, bool paired_heads) {
    struct gg_graph graph;
    struct gg_gguf_architecture architecture;
    CHECK_OK(find(settings, &graph, &architecture));
    assert_string_equal(architecture.name, name);
    assert_true(architecture.paired_heads == paired_heads);
    char names[64][GG_GGUF_NAME_BYTES];
    assert_true(graph.table.count <= 64);
    for (int i = 0; i < graph.table.count; i++) {
        gg_gguf_tensor_name(graph.table.items[i].name, names[i]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(names[k], names[i]);
    }
    assert_string_equal(names[0], "token_embd.weight");
    gg_graph_free(&graph);
}

static void check_lacks(const struct gg_model_settings *settings, const char *message) {
    struct gg_graph graph;
    struct gg_gguf_architecture architecture;
    CHECK_FAILS(find(settings, &graph, &architecture), GG_USAGE, message);
    gg_graph_free(&graph);
}

static void graphs_there_are(void **state) {
    (void)state;
    struct gg_model_settings s = gpt2;
    check_has(&s, "gpt2", false);
    s.tied = false;
    s.mlp_width = 50;
    check_has(&s, "gpt2", false);
    s.attention = GG_ATTENTION_ALTERNATING;
    s.window = s.context;
    check_has(&s, "gpt2", false);
    s = llama();
    check_has(&s, "llama", true);
    s.biases = s.tied = true;
    s.kv_heads = 1;
    s.head_size = 20;
    check_has(&s, "llama", true);
    s.biases = false;
    s.qk_norm = true;
    check_has(&s, "qwen3", false);
}

static void graphs_there_are_not(void **state) {
    (void)state;
#define WITHOUT(begin, change, message)                                                                      \
    do {                                                                                                     \
        struct gg_model_settings s = (begin);                                                                \
        change;                                                                                              \
        check_lacks(&s, message);                                                                            \
    } while (0)
    WITHOUT(gpt2, s.norm_place = GG_NORM_POST, "model.norm_place: llama.cpp's graph of gpt2 has pre only");
    WITHOUT(gpt2, s.norm = GG_NORM_RMSNORM, "model.norm: llama.cpp's graph of gpt2 has layernorm only");
    WITHOUT(gpt2, s.activation = GG_ACTIVATION_GELU, "model.activation: ");
    WITHOUT(gpt2, s.positions = GG_POSITIONS_SINUSOIDAL, "model.positions: ");
    WITHOUT(gpt2, s.positions = GG_POSITIONS_NONE, "model.positions: ");
    WITHOUT(gpt2, (s.attention = GG_ATTENTION_BANDED, s.window = s.context - 1), "model.attention: ");
    WITHOUT(gpt2, s.head_size = 20, "model.head_size: ");
    WITHOUT(gpt2, s.biases = false, "model.biases: ");
    WITHOUT(gpt2, s.kv_heads = 1, "model.norm: llama.cpp's graph of llama has rmsnorm only");
    WITHOUT(llama(), s.norm_place = GG_NORM_POST, "model.norm_place: ");
    WITHOUT(llama(), s.norm = GG_NORM_LAYERNORM, "model.norm: ");
    WITHOUT(llama(), s.activation = GG_ACTIVATION_GELU_TANH, "model.activation: ");
    WITHOUT(llama(), s.positions = GG_POSITIONS_LEARNED, "model.positions: ");
    WITHOUT(llama(), (s.attention = GG_ATTENTION_BANDED, s.window = 1), "model.attention: ");
    WITHOUT(llama(), s.qk_norm = s.biases = true, "model.biases: llama.cpp's graph of qwen3 has false only");
#undef WITHOUT
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs_there_are),
        cmocka_unit_test(graphs_there_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
