#include "core/model/model_settings.h"

#include "core/base/option_rows.h"

/* Model sizes by name; 0 layers: no preset. GPT: Radford et al. 2018; GPT-2: Radford et al. 2019, table 2;
 * GPT-3: Brown et al. 2020, table 2.1. */
static const struct preset {
    int64_t layers, heads, width, context, vocab;
} presets[] = {
    {0},
    {12, 12, 768, 512, 40478},
    {12, 12, 768, 1024, 50257},
    {24, 16, 1024, 1024, 50257},
    {36, 20, 1280, 1024, 50257},
    {48, 25, 1600, 1024, 50257},
    {12, 12, 768, 2048, 50257},
    {24, 16, 1024, 2048, 50257},
    {24, 16, 1536, 2048, 50257},
};
static const char *const preset_names[] = {"none",       "gpt1",       "gpt2-124m",  "gpt2-355m",
                                           "gpt2-774m",  "gpt2-1558m", "gpt3-small", "gpt3-medium",
                                           "gpt3-large", NULL};

#define GG_ROWS_OF struct gg_model_settings
static const struct gg_option rows[] = {
    {GG_ROW_CHOICE("model.preset", preset, preset_names, "none",
                   "model sizes by name; the rest of model.* overrides")},
    {GG_ROW_INTEGER("model.layers", layers, 1, 1000, "6", "transformer blocks"),
     .flags = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED},
    {GG_ROW_INTEGER("model.heads", heads, 1, 1024, "6", "attention heads; divides the width"),
     .flags = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED},
    {GG_ROW_INTEGER("model.width", width, 1, 65536, "384", "features of the residual stream"),
     .flags = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED},
    {GG_ROW_INTEGER("model.mlp_width", mlp_width, 0, 1048576, "0",
                    "features inside the MLP; 0: four times the width"),
     .flags = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED},
    {GG_ROW_INTEGER("model.context", context, 1, 1048576, "256",
                    "tokens of a training sequence, and positions"),
     .flags = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED},
    {GG_ROW_INTEGER("model.vocab", vocab, 0, 4194304, "0", "vocabulary; 0: the tokenizer's"),
     .flags = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED},
    {GG_ROW_REAL("model.dropout", dropout, 0, 0.9, "0", "dropout of embeddings, attention and residuals")},
};
const struct gg_option_table gg_model_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

static void apply_preset(struct gg_model_settings *settings, const bool *given) {
    const struct preset *preset = &presets[settings->preset];
    if (preset->layers == 0)
        return;
    const struct {
        const char *name;
        int64_t *field, value;
    } fields[] = {
        {"model.layers", &settings->layers, preset->layers},
        {"model.heads", &settings->heads, preset->heads},
        {"model.width", &settings->width, preset->width},
        {"model.context", &settings->context, preset->context},
        {"model.vocab", &settings->vocab, preset->vocab},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!gg_options_given(&gg_model_setting_rows, given, fields[i].name))
            *fields[i].field = fields[i].value;
}

gg_status gg_model_settings_resolve(struct gg_model_settings *settings, const bool *given) {
    apply_preset(settings, given);
    if (settings->width % settings->heads != 0)
        return gg_fail(GG_USAGE, "model.heads %lld does not divide model.width %lld",
                       (long long)settings->heads, (long long)settings->width);
    return GG_OK;
}

int64_t gg_model_mlp_width(const struct gg_model_settings *settings) {
    return settings->mlp_width > 0 ? settings->mlp_width : 4 * settings->width;
}
