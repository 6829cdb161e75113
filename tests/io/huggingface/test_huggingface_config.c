/* config.json into settings, settings into config.json, and what stands in the way of each. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/model/graph.h"
#include "io/base/json_parse.h"
#include "io/huggingface/huggingface_config.h"
#include "io/huggingface/huggingface_names.h"

#include <stdlib.h>
#include <string.h>

#define GPT  "\"vocab_size\": 64, \"n_layer\": 2, \"n_head\": 2, \"n_embd\": 8, \"n_positions\": 16"
#define GPT2 "\"model_type\": \"gpt2\", " GPT
#define GPT1 "\"model_type\": \"openai-gpt\", " GPT
#define LLAMAS                                                                                               \
    "\"vocab_size\": 64, \"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"hidden_size\": 16, "        \
    "\"intermediate_size\": 24, \"max_position_embeddings\": 16"
#define LLAMA   "\"model_type\": \"llama\", " LLAMAS
#define MISTRAL "\"model_type\": \"mistral\", \"num_key_value_heads\": 4, " LLAMAS
#define QWEN3   "\"model_type\": \"qwen3\", \"num_key_value_heads\": 2, " LLAMAS
#define SLIDES  QWEN3 ", \"use_sliding_window\": true, \"sliding_window\": 3"

static gg_status read(const char *keys, struct gg_model_settings *settings) {
    char *text = gg_format("{%s}", keys);
    json_t *root;
    CHECK_OK(gg_json_parse(text, strlen(text), &root));
    const gg_status status = gg_huggingface_config_read(root, settings);
    json_decref(root);
    free(text);
    return status;
}

static void check_setting(const struct gg_model_settings *settings, const char *setting,
                          const char *expected) {
    char value[80];
    gg_options_format(gg_options_find(&gg_model_setting_rows, setting), settings, value, sizeof value);
    if (strcmp(value, expected) != 0)
        fail_msg("%s is %s, not %s", setting, value, expected);
}

static void keys_become_settings(void **state) {
    (void)state;
    static const struct {
        const char *keys, *setting, *value;
    } cases[] = {
        {GPT2, "model.layers", "2"},
        {GPT2, "model.heads", "2"},
        {GPT2, "model.width", "8"},
        {GPT2, "model.context", "16"},
        {GPT2, "model.vocab", "64"},
        {GPT2, "model.norm", "layernorm"},
        {GPT2, "model.norm_place", "pre"},
        {GPT2, "model.positions", "learned"},
        {GPT2, "model.activation", "gelu_tanh"},
        {GPT2, "model.tied", "true"},
        {GPT2, "model.biases", "true"},
        {GPT2, "model.dropout", "0.1"},
        {GPT2, "model.mlp_width", "0"},
        {GPT2 ", \"n_inner\": 32", "model.mlp_width", "0"},
        {GPT2 ", \"n_inner\": 20", "model.mlp_width", "20"},
        {GPT2 ", \"n_inner\": null", "model.mlp_width", "0"},
        {GPT2 ", \"layer_norm_epsilon\": 1e-3", "model.norm_eps", "0.001"},
        {GPT2 ", \"tie_word_embeddings\": false", "model.tied", "false"},
        {GPT2 ", \"activation_function\": \"gelu\"", "model.activation", "gelu"},
        {GPT2 ", \"activation_function\": \"gelu_pytorch_tanh\"", "model.activation", "gelu_tanh"},
        {GPT2 ", \"activation_function\": \"relu\"", "model.activation", "relu"},
        {GPT2 ", \"attn_pdrop\": 0.2", "model.dropout", "0"},
        {GPT2 ", \"attn_pdrop\": 0, \"embd_pdrop\": 0, \"resid_pdrop\": 0", "model.dropout", "0"},
        {GPT1, "model.norm_place", "post"},
        {GPT1 ", \"afn\": \"gelu\"", "model.activation", "gelu_tanh"},
        {GPT1 ", \"afn\": \"relu\"", "model.activation", "relu"},
        {LLAMA, "model.norm", "rmsnorm"},
        {LLAMA, "model.norm_eps", "1e-06"},
        {LLAMA, "model.positions", "rotary"},
        {LLAMA, "model.rope_theta", "1e+04"},
        {LLAMA, "model.activation", "swiglu"},
        {LLAMA, "model.tied", "false"},
        {LLAMA, "model.biases", "false"},
        {LLAMA, "model.kv_heads", "0"},
        {LLAMA, "model.head_size", "0"},
        {LLAMA, "model.mlp_width", "24"},
        {LLAMA ", \"num_key_value_heads\": 2", "model.kv_heads", "2"},
        {LLAMA ", \"head_dim\": 6", "model.head_size", "6"},
        {LLAMA ", \"head_dim\": null", "model.head_size", "0"},
        {LLAMA ", \"attention_bias\": true, \"mlp_bias\": true", "model.biases", "true"},
        {LLAMA ", \"tie_word_embeddings\": true", "model.tied", "true"},
        {LLAMA ", \"rope_theta\": 777.0", "model.rope_theta", "777"},
        {LLAMA ", \"rope_theta\": 7, \"rope_scaling\": null", "model.rope_theta", "7"},
        {LLAMA ", \"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 9}", "model.rope_theta",
         "9"},
        {LLAMA ", \"rope_theta\": 7, \"rope_parameters\": {\"rope_theta\": 9}", "model.rope_theta", "9"},
        {LLAMA ", \"rope_scaling\": {\"type\": \"default\"}", "model.rope_theta", "1e+04"},
        {MISTRAL, "model.window", "4096"},
        {MISTRAL, "model.attention", "banded"},
        {MISTRAL ", \"sliding_window\": 5", "model.window", "5"},
        {MISTRAL ", \"sliding_window\": null", "model.attention", "dense"},
        {QWEN3, "model.qk_norm", "true"},
        {QWEN3, "model.head_size", "128"},
        {QWEN3 ", \"sliding_window\": 3, \"max_window_layers\": 0", "model.attention", "dense"},
        {SLIDES, "model.attention", "dense"},
        {SLIDES ", \"max_window_layers\": 0", "model.attention", "banded"},
        {SLIDES ", \"max_window_layers\": 0", "model.window", "3"},
        {SLIDES ", \"max_window_layers\": 1", "model.attention", "alternating"},
        {SLIDES ", \"layer_types\": [\"full_attention\", \"full_attention\"]", "model.attention", "dense"},
        {SLIDES ", \"layer_types\": [\"full_attention\", \"sliding_attention\"]", "model.attention",
         "alternating"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gg_model_settings settings;
        CHECK_OK(read(cases[i].keys, &settings));
        check_setting(&settings, cases[i].setting, cases[i].value);
    }
}

static void what_cannot_be_followed_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *keys, *said;
    } cases[] = {
        {GPT, "model_type: is missing"},
        {"\"model_type\": 1, " GPT, "model_type: is missing"},
        {"\"model_type\": \"bert\", " GPT, "model_type: 'bert' is not supported; gpt2, openai-gpt"},
        {GPT2 ", \"quantization_config\": {}", "quantization_config: "},
        {GPT2 ", \"scale_attn_weights\": false", "scale_attn_weights: false is not supported"},
        {GPT2 ", \"scale_attn_by_inverse_layer_idx\": true", "scale_attn_by_inverse_layer_idx: true"},
        {GPT2 ", \"add_cross_attention\": true", "add_cross_attention: true"},
        {GPT2 ", \"activation_function\": \"quick_gelu\"", "activation_function: 'quick_gelu'"},
        {GPT2 ", \"activation_function\": 3", "activation_function: ''"},
        {GPT2 ", \"layer_norm_epsilon\": \"1\"", "layer_norm_epsilon: a number is wanted"},
        {GPT2 ", \"layer_norm_epsilon\": -1", "layer_norm_epsilon: setting model.norm_eps cannot be '-1'"},
        {GPT2 ", \"n_inner\": 2.5", "n_inner: a whole number is wanted"},
        {GPT2 ", \"tie_word_embeddings\": 1", "tie_word_embeddings: true or false is wanted"},
        {GPT2 ", \"attn_pdrop\": \"x\"", "attn_pdrop: a number is wanted"},
        {GPT1 ", \"afn\": \"silu\"", "afn: 'silu' is not supported"},
        {GPT1 ", \"afn\": \"gelu_new\"", "afn: 'gelu_new' is not supported"},
        {"\"model_type\": \"llama\", \"vocab_size\": 0", "vocab_size: 0 is no vocabulary"},
        {"\"model_type\": \"llama\", \"vocab_size\": 64", "num_hidden_layers: is missing"},
        {LLAMA ", \"hidden_act\": \"gelu\"", "hidden_act: 'gelu' is not supported"},
        {LLAMA ", \"attention_bias\": true",
         "mlp_bias: false is only supported together with attention_bias"},
        {LLAMA ", \"mlp_bias\": true", "mlp_bias: true is only supported together with attention_bias"},
        {LLAMA ", \"partial_rotary_factor\": 0.5", "partial_rotary_factor: only 1"},
        {LLAMA ", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}", "rope_scaling: type 'linear'"},
        {LLAMA ", \"rope_scaling\": {\"factor\": 2}", "rope_scaling: factor is not supported"},
        {LLAMA ", \"rope_scaling\": 2", "rope_scaling: an object is wanted"},
        {LLAMA ", \"rope_parameters\": {\"rope_type\": \"llama3\"}", "rope_parameters: rope_type 'llama3'"},
        {LLAMA ", \"rope_parameters\": {\"full_attention\": {}}", "rope_parameters: full_attention is not"},
        {LLAMA ", \"rope_parameters\": {\"rope_theta\": null}", "rope_theta: a number is wanted"},
        {LLAMA ", \"rope_theta\": 0", "rope_theta: setting model.rope_theta cannot be '0'"},
        {MISTRAL ", \"sliding_window\": 0", "sliding_window: 0 is no number of keys"},
        {MISTRAL ", \"sliding_window\": -3", "sliding_window: setting model.window cannot be '-3'"},
        {QWEN3 ", \"attention_bias\": true", "attention_bias: true is not supported"},
        {QWEN3 ", \"layer_types\": [\"sliding_attention\", \"full_attention\"]",
         "layer_types: sliding_attention"},
        {SLIDES ", \"layer_types\": [\"sliding_attention\", \"full_attention\"]",
         "layer_types: a window in 1 of 2"},
        {SLIDES ", \"layer_types\": [\"full_attention\"]", "layer_types: of layer 1: ''"},
        {SLIDES ", \"layer_types\": [\"full_attention\", \"chunked_attention\"]",
         "of layer 1: 'chunked_attention'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gg_model_settings settings;
        const gg_status status = read(cases[i].keys, &settings);
        if (status != GG_BAD_DATA)
            fail_msg("%s: status %d", cases[i].keys, (int)status);
        CHECK_FAILS(status, GG_BAD_DATA, cases[i].said);
    }
}

/* The config.json of settings given as "name=value" words, on top of a small model; or its refusal. */
static gg_status write(const char *const *words, json_t **root, struct gg_graph *graph) {
    static const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    const struct gg_compute_settings compute = {0};
    struct gg_model_settings settings = {0};
    struct gg_model_config config;
    gg_options_defaults(&gg_model_setting_rows, &settings);
    settings.layers = 2;
    settings.heads = 4;
    settings.width = 16;
    settings.vocab = 64;
    for (; *words != NULL; words++) {
        char *name = gg_strdup(*words), *equals = strchr(name, '=');
        *equals = '\0';
        CHECK_OK(gg_options_set(&gg_model_setting_rows, &settings, name, equals + 1, "test"));
        free(name);
    }
    CHECK_OK(gg_model_configure(&settings, &compute, 0, 64, &whole, &config));
    gg_graph_make(&config, &whole, graph);
    return gg_huggingface_config_write(&settings, &graph->table, GG_SAFETENSORS_F32, 7, root);
}

#define ROTARY     "model.norm=rmsnorm", "model.positions=rotary", "model.activation=swiglu", "model.biases=false"
#define MOST_WORDS 8

static void architectures(void **state) {
    (void)state;
    static const struct {
        const char *name, *words[MOST_WORDS];
    } cases[] = {
        {"GPT2LMHeadModel", {NULL}},
        {"GPT2LMHeadModel", {"model.tied=false", "model.activation=gelu"}},
        {"OpenAIGPTLMHeadModel", {"model.norm_place=post"}},
        {"LlamaForCausalLM", {ROTARY}},
        {"LlamaForCausalLM", {ROTARY, "model.biases=true", "model.kv_heads=2", "model.head_size=6"}},
        {"MistralForCausalLM", {ROTARY, "model.attention=banded", "model.window=3"}},
        {"Qwen3ForCausalLM", {ROTARY, "model.qk_norm=true"}},
        {"Qwen3ForCausalLM", {ROTARY, "model.qk_norm=true", "model.attention=banded", "model.window=3"}},
        {"Qwen3ForCausalLM", {ROTARY, "model.qk_norm=true", "model.attention=alternating", "model.window=3"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *root;
        struct gg_graph graph;
        CHECK_OK(write(cases[i].words, &root, &graph));
        assert_string_equal(json_string_value(json_array_get(json_object_get(root, "architectures"), 0)),
                            cases[i].name);
        assert_int_equal(json_integer_value(json_object_get(root, "eos_token_id")), 7);
        json_decref(root);
        gg_graph_free(&graph);
    }
}

static void what_transformers_lacks_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *said, *words[MOST_WORDS];
    } cases[] = {
        {"model.norm rmsnorm: GPT2LMHeadModel", {"model.norm=rmsnorm"}},
        {"model.positions sinusoidal: GPT2LMHeadModel", {"model.positions=sinusoidal"}},
        {"model.positions none: GPT2LMHeadModel", {"model.positions=none"}},
        {"model.attention alternating: GPT2LMHeadModel", {"model.attention=alternating", "model.window=3"}},
        {"model.attention banded: GPT2LMHeadModel", {"model.attention=banded", "model.window=3"}},
        {"model.biases false: GPT2LMHeadModel", {"model.biases=false"}},
        {"model.head_size 6: GPT2LMHeadModel", {"model.head_size=6"}},
        {"model.mlp_width 20: OpenAIGPTLMHeadModel", {"model.norm_place=post", "model.mlp_width=20"}},
        {"model.activation gelu: OpenAIGPTLMHeadModel", {"model.norm_place=post", "model.activation=gelu"}},
        {"model.norm layernorm: LlamaForCausalLM", {ROTARY, "model.norm=layernorm"}},
        {"model.norm_place post: LlamaForCausalLM", {ROTARY, "model.norm_place=post"}},
        {"model.activation gelu: LlamaForCausalLM", {ROTARY, "model.activation=gelu"}},
        {"model.positions learned: LlamaForCausalLM", {ROTARY, "model.positions=learned"}},
        {"model.attention alternating: LlamaForCausalLM",
         {ROTARY, "model.attention=alternating", "model.window=3"}},
        {"model.heads 3: does not divide model.width 16", {ROTARY, "model.heads=3", "model.head_size=6"}},
        {"model.biases true: MistralForCausalLM",
         {ROTARY, "model.biases=true", "model.attention=banded", "model.window=3"}},
        {"model.biases true: Qwen3ForCausalLM", {ROTARY, "model.biases=true", "model.qk_norm=true"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *root;
        struct gg_graph graph;
        CHECK_FAILS(write(cases[i].words, &root, &graph), GG_USAGE, cases[i].said);
        assert_null(root);
        gg_graph_free(&graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_become_settings),
        cmocka_unit_test(what_cannot_be_followed_is_refused),
        cmocka_unit_test(architectures),
        cmocka_unit_test(what_transformers_lacks_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
