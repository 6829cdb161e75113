/* The settings model.*, and model sizes by name. All local.
 */
#ifndef GG_CORE_MODEL_MODEL_SETTINGS_H
#define GG_CORE_MODEL_MODEL_SETTINGS_H

#include "core/base/options.h"

struct gg_model_settings {
    int preset; /* index into the presets; 0: none */
    int64_t layers, heads, width, context;
    int64_t mlp_width; /* 0: four times the width */
    int64_t vocab;     /* 0: the tokenizer's */
    double dropout;
};

extern const struct gg_option_table gg_model_setting_rows;

/* Fills in the preset's sizes where none were given, then checks what the model's settings say of one another.
 *   given [in] per row: set from a file or the command line, not by default
 * GG_USAGE: heads do not divide the width. */
gg_status gg_model_settings_resolve(struct gg_model_settings *settings, const bool *given) GG_MUST_USE;

/* Features inside the MLP: model.mlp_width, or by default four times the width. */
int64_t gg_model_mlp_width(const struct gg_model_settings *settings);

#endif
