#include "io/huggingface/huggingface_config.h"

#include <stdio.h>
#include <string.h>

/* A config.json on its way into settings. Messages begin with the key. */
struct reading {
    const json_t *root;
    struct gg_model_settings *settings;
};

enum { REQUIRED = -1 }; /* instead of a default */

/* A value out of range is refused as a setting would be; here it is the file's. */
static gg_status set(const struct reading *r, const char *key, const char *setting, const char *text) {
    const gg_status status = gg_options_set(&gg_model_setting_rows, r->settings, setting, text, key);
    return status == GG_USAGE ? GG_BAD_DATA : status;
}

/* A key's value; NULL where it is missing or null. */
static const json_t *value_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static gg_status get_integer(const struct reading *r, const char *key, int64_t fallback, int64_t *result) {
    const json_t *value = value_of(r->root, key);
    *result = value != NULL ? (int64_t)json_integer_value(value) : fallback;
    if (value == NULL && fallback == REQUIRED)
        return gg_fail(GG_BAD_DATA, "%s: is missing", key);
    if (value != NULL && !json_is_integer(value))
        return gg_fail(GG_BAD_DATA, "%s: a whole number is wanted", key);
    return GG_OK;
}

static gg_status take_integer(const struct reading *r, const char *key, const char *setting,
                              int64_t fallback) {
    char text[32];
    int64_t value;
    GG_TRY(get_integer(r, key, fallback, &value));
    snprintf(text, sizeof text, "%lld", (long long)value);
    return set(r, key, setting, text);
}

static gg_status set_real(const struct reading *r, const char *key, const char *setting, const json_t *value,
                          double fallback) {
    char text[64];
    if (value != NULL && !json_is_number(value))
        return gg_fail(GG_BAD_DATA, "%s: a number is wanted", key);
    snprintf(text, sizeof text, "%.17g", value != NULL ? json_number_value(value) : fallback);
    return set(r, key, setting, text);
}

static gg_status get_flag(const struct reading *r, const char *key, bool fallback, bool *result) {
    const json_t *value = value_of(r->root, key);
    *result = value != NULL ? json_is_true(value) : fallback;
    if (value != NULL && !json_is_boolean(value))
        return gg_fail(GG_BAD_DATA, "%s: true or false is wanted", key);
    return GG_OK;
}

/* Refuses what a key is not to be. */
static gg_status want_flag(const struct reading *r, const char *key, bool wanted, bool fallback) {
    bool value;
    GG_TRY(get_flag(r, key, fallback, &value));
    if (value != wanted)
        return gg_fail(GG_BAD_DATA, "%s: %s is not supported", key, value ? "true" : "false");
    return GG_OK;
}

struct name {
    const char *theirs, *ours;
};

/* An activation by the name that transformers has for it. */
static gg_status take_activation(const struct reading *r, const char *key, const char *fallback,
                                 const struct name *names) {
    const json_t *value = value_of(r->root, key);
    const char *name = value != NULL ? json_string_value(value) : fallback;
    for (int i = 0; name != NULL && names[i].theirs != NULL; i++)
        if (strcmp(names[i].theirs, name) == 0)
            return set(r, key, "model.activation", names[i].ours);
    return gg_fail(GG_BAD_DATA, "%s: '%.80s' is not supported", key, name != NULL ? name : "");
}

static gg_status take_tied(const struct reading *r, bool fallback) {
    return get_flag(r, "tie_word_embeddings", fallback, &r->settings->tied);
}

/* One dropout where the three of a GPT are the same; else none, for weights are what is brought here. */
static gg_status take_dropout(const struct reading *r) {
    static const char *const keys[] = {"resid_pdrop", "embd_pdrop", "attn_pdrop"};
    double values[3];
    for (int i = 0; i < 3; i++) {
        const json_t *value = value_of(r->root, keys[i]);
        if (value != NULL && !json_is_number(value))
            return gg_fail(GG_BAD_DATA, "%s: a number is wanted", keys[i]);
        values[i] = value != NULL ? json_number_value(value) : 0.1;
    }
    const bool same = values[0] == values[1] && values[1] == values[2];
    return set_real(r, keys[0], "model.dropout", NULL, same ? values[0] : 0);
}

/* What GPT-2 and OpenAI-GPT have in common. */
static gg_status read_gpt(const struct reading *r) {
    const char *positions = value_of(r->root, "n_positions") != NULL ? "n_positions" : "n_ctx";
    GG_TRY(take_integer(r, "n_layer", "model.layers", REQUIRED));
    GG_TRY(take_integer(r, "n_head", "model.heads", REQUIRED));
    GG_TRY(take_integer(r, "n_embd", "model.width", REQUIRED));
    GG_TRY(take_integer(r, positions, "model.context", REQUIRED));
    GG_TRY(
        set_real(r, "layer_norm_epsilon", "model.norm_eps", value_of(r->root, "layer_norm_epsilon"), 1e-5));
    GG_TRY(take_dropout(r));
    return take_tied(r, true);
}

static gg_status read_gpt2(const struct reading *r) {
    static const struct name activations[] = {{"gelu_new", "gelu_tanh"},
                                              {"gelu_pytorch_tanh", "gelu_tanh"},
                                              {"gelu_fast", "gelu_tanh"},
                                              {"gelu", "gelu"},
                                              {"gelu_python", "gelu"},
                                              {"relu", "relu"},
                                              {NULL, NULL}};
    GG_TRY(read_gpt(r));
    GG_TRY(take_integer(r, "n_inner", "model.mlp_width", 0));
    GG_TRY(want_flag(r, "scale_attn_weights", true, true));
    GG_TRY(want_flag(r, "scale_attn_by_inverse_layer_idx", false, false));
    GG_TRY(want_flag(r, "add_cross_attention", false, false));
    return take_activation(r, "activation_function", "gelu_new", activations);
}

static gg_status read_openai(const struct reading *r) {
    /* In this architecture alone "gelu" is the tanh approximation (ACT_FNS of transformers' modeling_openai.py).
     */
    static const struct name activations[] = {{"gelu", "gelu_tanh"}, {"relu", "relu"}, {NULL, NULL}};
    GG_TRY(read_gpt(r));
    GG_TRY(set(r, "model_type", "model.norm_place", "post"));
    return take_activation(r, "afn", "gelu", activations);
}

/* One of the objects that describe the rotary positions; its rope_theta, if it has one.
 * transformers 4 has rope_theta beside rope_scaling, transformers 5 both in rope_parameters. */
static gg_status read_rope_object(const json_t *object, const char *key, const json_t **theta) {
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return gg_fail(GG_BAD_DATA, "%s: an object is wanted", key);
    json_object_foreach((json_t *)object, name, value) {
        if (strcmp(name, "rope_type") == 0 || strcmp(name, "type") == 0) {
            if (!json_is_string(value) || strcmp(json_string_value(value), "default") != 0)
                return gg_fail(GG_BAD_DATA, "%s: %s '%.80s' is not supported, only 'default'", key, name,
                               json_is_string(value) ? json_string_value(value) : "");
        }
    }
    json_object_foreach((json_t *)object, name, value) {
        if (strcmp(name, "rope_theta") == 0)
            *theta = value;
        else if (strcmp(name, "rope_type") != 0 && strcmp(name, "type") != 0 &&
                 !(strcmp(name, "partial_rotary_factor") == 0 && json_number_value(value) == 1))
            return gg_fail(GG_BAD_DATA, "%s: %.80s is not supported", key, name);
    }
    return GG_OK;
}

static gg_status read_rope(const struct reading *r) {
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    const json_t *theta = value_of(r->root, "rope_theta"),
                 *factor = value_of(r->root, "partial_rotary_factor");
    for (int i = 0; i < 2; i++)
        if (value_of(r->root, keys[i]) != NULL)
            GG_TRY(read_rope_object(value_of(r->root, keys[i]), keys[i], &theta));
    if (factor != NULL && json_number_value(factor) != 1)
        return gg_fail(GG_BAD_DATA, "partial_rotary_factor: only 1 is supported");
    GG_TRY(set(r, "model_type", "model.positions", "rotary"));
    return set_real(r, "rope_theta", "model.rope_theta", theta, 10000);
}

/* What Llama, Mistral and Qwen3 have in common.
 *   kv_heads [in] where it is missing; 0: as many as heads */
static gg_status read_llama_like(const struct reading *r, int64_t kv_heads, int64_t head_size) {
    static const struct name activations[] = {{"silu", "swiglu"}, {"swish", "swiglu"}, {NULL, NULL}};
    GG_TRY(take_integer(r, "num_hidden_layers", "model.layers", REQUIRED));
    GG_TRY(take_integer(r, "num_attention_heads", "model.heads", REQUIRED));
    GG_TRY(take_integer(r, "num_key_value_heads", "model.kv_heads", kv_heads));
    GG_TRY(take_integer(r, "head_dim", "model.head_size", head_size));
    GG_TRY(take_integer(r, "hidden_size", "model.width", REQUIRED));
    GG_TRY(take_integer(r, "intermediate_size", "model.mlp_width", REQUIRED));
    GG_TRY(take_integer(r, "max_position_embeddings", "model.context", REQUIRED));
    GG_TRY(set_real(r, "rms_norm_eps", "model.norm_eps", value_of(r->root, "rms_norm_eps"), 1e-6));
    GG_TRY(take_activation(r, "hidden_act", "silu", activations));
    GG_TRY(set(r, "model_type", "model.norm", "rmsnorm"));
    GG_TRY(set(r, "model_type", "model.biases", "false"));
    GG_TRY(read_rope(r));
    return take_tied(r, false);
}

static gg_status read_llama(const struct reading *r) {
    bool mlp;
    GG_TRY(read_llama_like(r, 0, 0));
    GG_TRY(get_flag(r, "mlp_bias", false, &mlp));
    GG_TRY(get_flag(r, "attention_bias", false, &r->settings->biases));
    if (mlp != r->settings->biases)
        return gg_fail(GG_BAD_DATA, "mlp_bias: %s is only supported together with attention_bias",
                       mlp ? "true" : "false");
    return GG_OK;
}

/* A window of keys in all layers.
 *   window [in] REQUIRED: none */
static gg_status set_window(const struct reading *r, const char *attention, int64_t window) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)window);
    GG_TRY(set(r, "sliding_window", "model.attention", attention));
    GG_TRY(set(r, "sliding_window", "model.window", text));
    if (window < 1)
        return gg_fail(GG_BAD_DATA, "sliding_window: %lld is no number of keys", (long long)window);
    return GG_OK;
}

static gg_status read_mistral(const struct reading *r) {
    int64_t window;
    GG_TRY(read_llama_like(r, 8, 0));
    if (json_is_null(json_object_get(r->root, "sliding_window")))
        return GG_OK;
    GG_TRY(get_integer(r, "sliding_window", 4096, &window));
    return set_window(r, "banded", window);
}

/* Whether a layer of Qwen3 has the window: layer_types tells, or else max_window_layers. */
static gg_status layer_slides(const struct reading *r, int64_t layer, int64_t first, bool *slides) {
    const json_t *types = value_of(r->root, "layer_types");
    *slides = layer >= first;
    if (types == NULL)
        return GG_OK;
    const char *type = json_string_value(json_array_get(types, (size_t)layer));
    *slides = type != NULL && strcmp(type, "sliding_attention") == 0;
    if (type == NULL || (!*slides && strcmp(type, "full_attention") != 0))
        return gg_fail(GG_BAD_DATA, "layer_types: of layer %lld: '%.80s' is not supported", (long long)layer,
                       type != NULL ? type : "");
    return GG_OK;
}

static gg_status read_qwen3_window(const struct reading *r) {
    int64_t window, first, sliding = 0, odd = 0;
    bool used;
    const bool none = json_is_null(json_object_get(r->root, "sliding_window"));
    const int64_t layers = r->settings->layers;
    GG_TRY(get_flag(r, "use_sliding_window", false, &used));
    GG_TRY(get_integer(r, "sliding_window", 4096, &window));
    GG_TRY(get_integer(r, "max_window_layers", 28, &first));
    used = used && !none;
    for (int64_t i = 0; i < layers; i++) {
        bool slides;
        GG_TRY(layer_slides(r, i, used ? first : layers, &slides));
        sliding += slides;
        odd += slides && i % 2 == 1;
    }
    if (sliding == 0)
        return GG_OK;
    if (!used)
        return gg_fail(GG_BAD_DATA, "layer_types: sliding_attention, and no sliding_window is used");
    if (sliding == layers)
        return set_window(r, "banded", window);
    if (sliding == odd && odd == layers / 2)
        return set_window(r, "alternating", window);
    return gg_fail(GG_BAD_DATA,
                   "%s: a window in %lld of %lld layers: only in all or in every second is supported",
                   value_of(r->root, "layer_types") != NULL ? "layer_types" : "max_window_layers",
                   (long long)sliding, (long long)layers);
}

static gg_status read_qwen3(const struct reading *r) {
    GG_TRY(read_llama_like(r, 32, 128));
    GG_TRY(set(r, "model_type", "model.qk_norm", "true"));
    GG_TRY(want_flag(r, "attention_bias", false, false));
    return read_qwen3_window(r);
}

/* The defaults of our settings say the same as these numbers, and stay where a width is changed. */
static void shorten(struct gg_model_settings *s) {
    if (s->mlp_width == 4 * s->width)
        s->mlp_width = 0;
    if (s->kv_heads == s->heads)
        s->kv_heads = 0;
    if (s->head_size * s->heads == s->width)
        s->head_size = 0;
}

gg_status gg_huggingface_config_read(const json_t *root, struct gg_model_settings *settings) {
    static const struct {
        const char *type;
        gg_status (*read)(const struct reading *r);
    } types[] = {{"gpt2", read_gpt2},
                 {"openai-gpt", read_openai},
                 {"llama", read_llama},
                 {"mistral", read_mistral},
                 {"qwen3", read_qwen3}};
    const char *type = json_string_value(json_object_get(root, "model_type"));
    memset(settings, 0, sizeof *settings);
    gg_options_defaults(&gg_model_setting_rows, settings);
    const struct reading r = {root, settings};
    if (type == NULL)
        return gg_fail(GG_BAD_DATA, "model_type: is missing");
    if (value_of(root, "quantization_config") != NULL)
        return gg_fail(GG_BAD_DATA, "quantization_config: quantized weights are not supported");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].type, type) != 0)
            continue;
        GG_TRY(take_integer(&r, "vocab_size", "model.vocab", REQUIRED));
        if (settings->vocab == 0)
            return gg_fail(GG_BAD_DATA, "vocab_size: 0 is no vocabulary");
        GG_TRY(types[i].read(&r));
        shorten(settings);
        return GG_OK;
    }
    return gg_fail(GG_BAD_DATA,
                   "model_type: '%.80s' is not supported; gpt2, openai-gpt, llama, mistral and qwen3 are",
                   type);
}
