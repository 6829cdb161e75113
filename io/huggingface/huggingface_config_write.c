#include "io/huggingface/huggingface_config.h"

#include "core/base/memory.h"
#include "io/huggingface/huggingface_names.h"

#include <stdlib.h>
#include <string.h>

/* A setting's value as transformers' architecture has it. */
struct demand {
    const char *setting, *value;
};

/* The architectures of transformers, with what each of them demands. */
enum { MOST_DEMANDS = 8 };
struct architecture {
    const char *model_type, *name, *of_classes;
    struct demand demands[MOST_DEMANDS];
};
static const struct architecture gpt2 = {"gpt2",
                                         "GPT2LMHeadModel",
                                         "GPT2ForSequenceClassification",
                                         {{"model.norm", "layernorm"},
                                          {"model.positions", "learned"},
                                          {"model.attention", "dense"},
                                          {"model.biases", "true"}}};
static const struct architecture openai = {"openai-gpt",
                                           "OpenAIGPTLMHeadModel",
                                           "OpenAIGPTForSequenceClassification",
                                           {{"model.norm", "layernorm"},
                                            {"model.positions", "learned"},
                                            {"model.attention", "dense"},
                                            {"model.biases", "true"}}};
#define LLAMA_LIKE                                                                                           \
    {"model.norm", "rmsnorm"}, {"model.norm_place", "pre"}, {"model.positions", "rotary"}, {                 \
        "model.activation", "swiglu"                                                                         \
    }
static const struct architecture llama = {"llama",
                                          "LlamaForCausalLM",
                                          "LlamaForSequenceClassification",
                                          {LLAMA_LIKE, {"model.attention", "dense"}}};
static const struct architecture mistral = {"mistral",
                                            "MistralForCausalLM",
                                            "MistralForSequenceClassification",
                                            {LLAMA_LIKE, {"model.biases", "false"}}};
static const struct architecture qwen3 = {
    "qwen3", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification", {LLAMA_LIKE, {"model.biases", "false"}}};

/* The architecture whose tensors these are. */
static const struct architecture *choose(const struct gg_model_settings *s,
                                         const struct gg_parameter_table *table) {
    if (!gg_huggingface_is_linear(table))
        return s->norm_place == GG_NORM_POST ? &openai : &gpt2;
    if (s->qk_norm)
        return &qwen3;
    return s->attention == GG_ATTENTION_BANDED ? &mistral : &llama;
}

static gg_status refuse(const struct architecture *a, const char *setting, const char *value) {
    return gg_fail(GG_USAGE,
                   "%s %s: %s, which the model would otherwise be in transformers, has no such thing",
                   setting, value, a->name);
}

/* A setting that nothing here knows has no place in a config.json, but as its default. */
static gg_status check_unknown(const struct architecture *a, const struct gg_model_settings *s) {
    static const char *const known[] = {
        "model.preset",     "model.layers",    "model.heads",     "model.kv_heads",   "model.head_size",
        "model.width",      "model.mlp_width", "model.context",   "model.vocab",      "model.norm",
        "model.norm_place", "model.norm_eps",  "model.positions", "model.rope_theta", "model.activation",
        "model.attention",  "model.window",    "model.qk_norm",   "model.tied",       "model.biases",
        "model.dropout",    "model.labels",    "model.lm_weight"};
    enum { KNOWN = sizeof known / sizeof *known };
    struct gg_model_settings usual = {0};
    gg_options_defaults(&gg_model_setting_rows, &usual);
    for (size_t i = 0; i < gg_model_setting_rows.count; i++) {
        const struct gg_option *row = &gg_model_setting_rows.options[i];
        char value[80], expected[80];
        size_t k = 0;
        while (k < KNOWN && strcmp(known[k], row->name) != 0)
            k++;
        gg_options_format(row, s, value, sizeof value);
        gg_options_format(row, &usual, expected, sizeof expected);
        if (k == KNOWN && strcmp(value, expected) != 0)
            return refuse(a, row->name, value);
    }
    return GG_OK;
}

static gg_status check_demands(const struct architecture *a, const struct gg_model_settings *s) {
    for (const struct demand *d = a->demands; d < a->demands + MOST_DEMANDS && d->setting != NULL; d++) {
        char value[80];
        gg_options_format(gg_options_find(&gg_model_setting_rows, d->setting), s, value, sizeof value);
        if (strcmp(value, d->value) != 0)
            return refuse(a, d->setting, value);
    }
    return GG_OK;
}

static gg_status refuse_number(const struct architecture *a, const char *setting, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return refuse(a, setting, text);
}

/* What numbers must be to one another. */
static gg_status check_sizes(const struct architecture *a, const struct gg_model_settings *s) {
    const bool gpt = a == &gpt2 || a == &openai;
    if (gpt && gg_model_head_size(s) * s->heads != s->width)
        return refuse_number(a, "model.head_size", s->head_size);
    if (a == &openai && gg_model_mlp_width(s) != 4 * s->width)
        return refuse_number(a, "model.mlp_width", s->mlp_width);
    if (a == &openai && s->activation == GG_ACTIVATION_GELU)
        return refuse(a, "model.activation", "gelu");
    if (a == &llama && s->width % s->heads != 0)
        return gg_fail(GG_USAGE, "model.heads %lld: does not divide model.width %lld, which %s demands",
                       (long long)s->heads, (long long)s->width, a->name);
    return GG_OK;
}

static void put(json_t *root, const char *key, json_t *value) {
    json_object_set_new(root, key, value);
}

static void put_integer(json_t *root, const char *key, int64_t value) {
    put(root, key, json_integer((json_int_t)value));
}

static void put_gpt(json_t *root, const struct architecture *a, const struct gg_model_settings *s) {
    static const char *const names[] = {
        [GG_ACTIVATION_GELU_TANH] = "gelu_new", [GG_ACTIVATION_GELU] = "gelu", [GG_ACTIVATION_RELU] = "relu"};
    put_integer(root, "n_layer", s->layers);
    put_integer(root, "n_head", s->heads);
    put_integer(root, "n_embd", s->width);
    put_integer(root, "n_positions", s->context);
    put_integer(root, "n_ctx", s->context);
    put(root, "layer_norm_epsilon", json_real(s->norm_eps));
    put(root, "resid_pdrop", json_real(s->dropout));
    put(root, "embd_pdrop", json_real(s->dropout));
    put(root, "attn_pdrop", json_real(s->dropout));
    if (a == &openai) {
        put(root, "afn", json_string(s->activation == GG_ACTIVATION_GELU_TANH ? "gelu" : "relu"));
        return;
    }
    put(root, "activation_function", json_string(names[s->activation]));
    put_integer(root, "n_inner", gg_model_mlp_width(s));
}

/* Qwen3 tells of each layer whether it has the window. */
static void put_qwen3_window(json_t *root, const struct gg_model_settings *s) {
    json_t *types = json_array();
    for (int64_t i = 0; i < s->layers; i++) {
        const bool slides =
            s->attention == GG_ATTENTION_BANDED || (s->attention == GG_ATTENTION_ALTERNATING && i % 2 == 1);
        json_array_append_new(types, json_string(slides ? "sliding_attention" : "full_attention"));
    }
    const bool window = s->attention != GG_ATTENTION_DENSE;
    put(root, "layer_types", types);
    put(root, "use_sliding_window", json_boolean(window));
    put(root, "sliding_window", window ? json_integer((json_int_t)s->window) : json_null());
    put_integer(root, "max_window_layers", s->attention == GG_ATTENTION_BANDED ? 0 : s->layers);
}

static void put_llama_like(json_t *root, const struct architecture *a, const struct gg_model_settings *s) {
    put_integer(root, "num_hidden_layers", s->layers);
    put_integer(root, "num_attention_heads", s->heads);
    put_integer(root, "num_key_value_heads", gg_model_kv_heads(s));
    put_integer(root, "head_dim", gg_model_head_size(s));
    put_integer(root, "hidden_size", s->width);
    put_integer(root, "intermediate_size", gg_model_mlp_width(s));
    put_integer(root, "max_position_embeddings", s->context);
    put(root, "hidden_act", json_string("silu"));
    put(root, "rms_norm_eps", json_real(s->norm_eps));
    put(root, "rope_theta", json_real(s->rope_theta));
    put(root, "rope_parameters",
        json_pack("{s:s, s:f}", "rope_type", "default", "rope_theta", s->rope_theta));
    put(root, "attention_dropout", json_real(0));
    if (a != &mistral)
        put(root, "attention_bias", json_boolean(s->biases));
    if (a == &llama)
        put(root, "mlp_bias", json_boolean(s->biases));
    if (a == &mistral)
        put_integer(root, "sliding_window", s->window);
    if (a == &qwen3)
        put_qwen3_window(root, s);
}

/* A text's class is told by its last token; transformers finds it before the padding. */
static void put_labels(json_t *root, const struct gg_text_list *labels, int64_t padding) {
    json_t *names = json_object(), *numbers = json_object();
    for (size_t i = 0; i < labels->count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        put(names, number, json_string(labels->items[i]));
        put_integer(numbers, labels->items[i], (int64_t)i);
    }
    put(root, "id2label", names);
    put(root, "label2id", numbers);
    put(root, "pad_token_id", padding >= 0 ? json_integer((json_int_t)padding) : json_null());
}

gg_status gg_huggingface_config_write(const struct gg_model_settings *settings,
                                      const struct gg_parameter_table *table, enum gg_safetensors_type type,
                                      int64_t end_of_text, json_t **root) {
    const struct architecture *a = choose(settings, table);
    const char *type_name = type == GG_SAFETENSORS_F32 ? "float32" : "bfloat16";
    *root = NULL;
    GG_TRY(check_unknown(a, settings));
    GG_TRY(check_demands(a, settings));
    GG_TRY(check_sizes(a, settings));
    *root = json_pack("{s:[s], s:s, s:s, s:s, s:b, s:I}", "architectures",
                      settings->labels.count > 0 ? a->of_classes : a->name, "model_type", a->model_type,
                      "dtype", type_name, "torch_dtype", type_name, "tie_word_embeddings", settings->tied,
                      "vocab_size", (json_int_t)settings->vocab);
    /* Without these, transformers' classes take ids of their own vocabularies, and generation ends there. */
    put(*root, "bos_token_id", end_of_text >= 0 ? json_integer((json_int_t)end_of_text) : json_null());
    put(*root, "eos_token_id", end_of_text >= 0 ? json_integer((json_int_t)end_of_text) : json_null());
    if (settings->labels.count > 0)
        put_labels(*root, &settings->labels, end_of_text);
    if (a == &gpt2 || a == &openai)
        put_gpt(*root, a, settings);
    else
        put_llama_like(*root, a, settings);
    return GG_OK;
}
