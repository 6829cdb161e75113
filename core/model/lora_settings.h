/* The settings finetune.lora.*: adapters of low rank beside frozen weights (Hu et al. 2021, "LoRA: low-rank
 * adaptation of large language models"). All local.
 */
#ifndef GG_CORE_MODEL_LORA_SETTINGS_H
#define GG_CORE_MODEL_LORA_SETTINGS_H

#include "core/base/options.h"

/* Beside a targeted map y = x W + b stands y += (alpha / rank) dropout(x) A B, and A and B alone are trained. */
struct gg_lora_settings {
    int64_t rank; /* 0: no adapters, and everything is trained */
    double alpha; /* 0, until it is resolved: twice the rank */
    double dropout;
    struct gg_text_list
        targets; /* names of maps; empty, until it is resolved: the architecture's usual ones */
};

extern const struct gg_option_table gg_lora_setting_rows;

/* The factor of what adapters add. */
double gg_lora_scale(const struct gg_lora_settings *settings);

/* Whether a map has adapters: one of the targets is its whole name, or the end of it behind a dot, as PEFT has it.
 *   map [in] "transformer.h.0.attn.c_attn" */
bool gg_lora_is_target(const struct gg_lora_settings *settings, const char *map);

#endif
