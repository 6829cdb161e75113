/* What finetune.lora.* means for a model: which of its maps may get adapters. Local.
 */
#ifndef GG_CORE_MODEL_LORA_TARGETS_H
#define GG_CORE_MODEL_LORA_TARGETS_H

#include "core/model/lora_settings.h"
#include "core/model/model_settings.h"

/* Fills in alpha and the targets where they were not given, and checks the targets' names.
 *   model [in] resolved
 * GG_USAGE: a target is none of the model's maps, all of which the message lists; finetune.lora.* without a rank. */
gg_status gg_lora_settings_resolve(struct gg_lora_settings *settings,
                                   const struct gg_model_settings *model) GG_MUST_USE;

#endif
