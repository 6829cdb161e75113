/* Models by name: what model.preset stands for.
 */
#ifndef GG_CORE_MODEL_PRESETS_H
#define GG_CORE_MODEL_PRESETS_H

#include "core/base/options.h"

/* NULL-terminated; the first is "none". */
extern const char *const gg_preset_names[];

/* Sets what a preset says of the settings model.*, but for those that were given.
 *   preset [in]     index into the names
 *   table  [in]     the rows of model.*
 *   given  [in]     per row
 *   values [in,out] struct gg_model_settings
 * Local. */
void gg_preset_apply(int preset, const struct gg_option_table *table, const bool *given, void *values);

#endif
