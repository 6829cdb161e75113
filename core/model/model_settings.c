#include "core/model/model_settings.h"

#include "core/base/option_rows.h"
#include "core/model/presets.h"

#include <string.h>

static const char *const norms[] = {"layernorm", "rmsnorm", NULL};
static const char *const norm_places[] = {"pre", "post", NULL};
static const char *const activations[] = {"gelu_tanh", "gelu", "relu", "swiglu", NULL};
static const char *const positions[] = {"learned", "sinusoidal", "rotary", "none", NULL};
static const char *const reaches[] = {"dense", "banded", "alternating", NULL};

static const double usual_theta = 10000; /* Su et al. 2021, section 3.3 */

enum { SHAPE = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED };

#define GG_ROWS_OF struct gg_model_settings
static const struct gg_option rows[] = {
    {GG_ROW_CHOICE("model.preset", preset, gg_preset_names, "none",
                   "a model by name; the rest of model.* overrides")},
    {GG_ROW_INTEGER("model.layers", layers, 1, 1000, "6", "transformer blocks"), .flags = SHAPE},
    {GG_ROW_INTEGER("model.heads", heads, 1, 1024, "6", "attention heads"), .flags = SHAPE},
    {GG_ROW_INTEGER("model.kv_heads", kv_heads, 0, 1024, "0",
                    "heads of keys and values, which groups of heads share; 0: one each"),
     .flags = SHAPE},
    {GG_ROW_INTEGER("model.head_size", head_size, 0, 65536, "0", "features of a head; 0: width / heads"),
     .flags = SHAPE},
    {GG_ROW_INTEGER("model.width", width, 1, 65536, "384", "features of the residual stream"),
     .flags = SHAPE},
    {GG_ROW_INTEGER("model.mlp_width", mlp_width, 0, 1048576, "0",
                    "features inside the MLP; 0: four times the width"),
     .flags = SHAPE},
    {GG_ROW_INTEGER("model.context", context, 1, 1048576, "256",
                    "tokens of a training sequence, and positions"),
     .flags = SHAPE},
    {GG_ROW_INTEGER("model.vocab", vocab, 0, 4194304, "0", "vocabulary; 0: the tokenizer's"), .flags = SHAPE},
    {GG_ROW_CHOICE("model.norm", norm, norms, "layernorm", "normalisation of the stream"), .flags = SHAPE},
    {GG_ROW_CHOICE("model.norm_place", norm_place, norm_places, "pre",
                   "before each part of a block, or behind its sum with the stream"),
     .flags = SHAPE},
    {GG_ROW_REAL("model.norm_eps", norm_eps, 1e-12, 1, "1e-5", "added to a variance before its root"),
     .flags = SHAPE},
    {GG_ROW_CHOICE("model.activation", activation, activations, "gelu_tanh",
                   "inside the MLP; swiglu has a third map"),
     .flags = SHAPE},
    {GG_ROW_CHOICE("model.positions", positions, positions, "learned", "how positions are told"),
     .flags = SHAPE},
    {GG_ROW_REAL("model.rope_theta", rope_theta, 1, 1e12, "10000", "base of rotary positions' wavelengths"),
     .flags = SHAPE},
    {GG_ROW_CHOICE("model.attention", attention, reaches, "dense",
                   "keys that a query sees: all before it, the last model.window, or in turns by layer"),
     .flags = SHAPE},
    {GG_ROW_INTEGER("model.window", window, 0, 1048576, "0",
                    "keys that a query of a banded layer sees, its own included"),
     .flags = SHAPE},
    {GG_ROW_SWITCH("model.qk_norm", qk_norm, "false", "RMSNorm on each head's queries and keys"),
     .flags = SHAPE},
    {GG_ROW_SWITCH("model.tied", tied, "true", "the head is the token embedding"), .flags = SHAPE},
    {GG_ROW_SWITCH("model.biases", biases, "true", "of linear maps and layer norms"), .flags = SHAPE},
    {GG_ROW_REAL("model.dropout", dropout, 0, 0.9, "0", "dropout of embeddings, attention and residuals")},
    {GG_ROW_LIST("model.labels", labels,
                 "classes of texts that a head of the model tells; finetune finds them"),
     .flags = SHAPE},
    {GG_ROW_REAL("model.lm_weight", lm_weight, 0, 1000, "0",
                 "with classes: weight of the language model's loss beside theirs; 0: it has no such head"),
     .flags = SHAPE},
};
const struct gg_option_table gg_model_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

int64_t gg_model_mlp_width(const struct gg_model_settings *settings) {
    return settings->mlp_width > 0 ? settings->mlp_width : 4 * settings->width;
}

int64_t gg_model_kv_heads(const struct gg_model_settings *settings) {
    return settings->kv_heads > 0 ? settings->kv_heads : settings->heads;
}

int64_t gg_model_head_size(const struct gg_model_settings *settings) {
    return settings->head_size > 0 ? settings->head_size : settings->width / settings->heads;
}

struct gg_model_settings gg_model_settings_filled(const struct gg_model_settings *settings) {
    struct gg_model_settings filled = *settings;
    filled.mlp_width = gg_model_mlp_width(settings);
    filled.kv_heads = gg_model_kv_heads(settings);
    filled.head_size = gg_model_head_size(settings);
    return filled;
}

static gg_status check_heads(const struct gg_model_settings *s) {
    if (s->head_size == 0 && s->width % s->heads != 0)
        return gg_fail(GG_USAGE,
                       "model.heads %lld does not divide model.width %lld; set model.head_size, or another "
                       "number of heads",
                       (long long)s->heads, (long long)s->width);
    if (s->heads % gg_model_kv_heads(s) != 0)
        return gg_fail(GG_USAGE, "model.kv_heads %lld does not divide model.heads %lld",
                       (long long)s->kv_heads, (long long)s->heads);
    if (s->positions == GG_POSITIONS_ROTARY && gg_model_head_size(s) % 2 != 0)
        return gg_fail(GG_USAGE,
                       "model.positions rotary turns pairs of features, and a head has %lld of them; set an "
                       "even model.head_size",
                       (long long)gg_model_head_size(s));
    return GG_OK;
}

static gg_status check_labels(const struct gg_model_settings *s) {
    if (s->labels.count == 1)
        return gg_fail(GG_USAGE, "model.labels has one class, %s; two are wanted at least",
                       s->labels.items[0]);
    for (size_t i = 0; i < s->labels.count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->labels.items[i], s->labels.items[k]) == 0)
                return gg_fail(GG_USAGE, "model.labels has %s twice", s->labels.items[i]);
    if (s->labels.count == 0 && s->lm_weight > 0)
        return gg_fail(GG_USAGE, "model.lm_weight %g has no meaning without classes", s->lm_weight);
    return GG_OK;
}

static gg_status check_reach(const struct gg_model_settings *s) {
    if (s->attention != GG_ATTENTION_DENSE && s->window == 0)
        return gg_fail(GG_USAGE, "model.attention %s needs model.window, the keys that a query sees",
                       reaches[s->attention]);
    if (s->attention == GG_ATTENTION_DENSE && s->window != 0)
        return gg_fail(GG_USAGE,
                       "model.window %lld has no meaning with model.attention dense; set banded or "
                       "alternating, or leave the window away",
                       (long long)s->window);
    return GG_OK;
}

gg_status gg_model_settings_resolve(struct gg_model_settings *settings, const bool *given) {
    gg_preset_apply(settings->preset, &gg_model_setting_rows, given, settings);
    /* What a preset says of a choice goes with the choice. */
    if (settings->attention == GG_ATTENTION_DENSE &&
        !gg_options_given(&gg_model_setting_rows, given, "model.window"))
        settings->window = 0;
    if (settings->positions != GG_POSITIONS_ROTARY &&
        !gg_options_given(&gg_model_setting_rows, given, "model.rope_theta"))
        settings->rope_theta = usual_theta;
    if (settings->positions != GG_POSITIONS_ROTARY && settings->rope_theta != usual_theta)
        return gg_fail(GG_USAGE, "model.rope_theta %g has no meaning without model.positions rotary",
                       settings->rope_theta);
    GG_TRY(check_heads(settings));
    GG_TRY(check_labels(settings));
    return check_reach(settings);
}
