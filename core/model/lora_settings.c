#include "core/model/lora_settings.h"

#include "core/base/option_rows.h"

#include <string.h>

enum { SHAPE = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED };

#define GG_ROWS_OF struct gg_lora_settings
static const struct gg_option rows[] = {
    {GG_ROW_INTEGER("finetune.lora.rank", rank, 0, 65536, "0",
                    "rank of adapters beside frozen weights (LoRA); 0: none, all weights are trained"),
     .flags = SHAPE},
    {GG_ROW_REAL("finetune.lora.alpha", alpha, 0, 1e6, "0",
                 "what adapters add is scaled by alpha / rank; 0: twice the rank"),
     .flags = SHAPE},
    {GG_ROW_REAL("finetune.lora.dropout", dropout, 0, 0.9, "0", "dropout of what adapters read")},
    {GG_ROW_LIST("finetune.lora.targets", targets,
                 "maps that get adapters, by Hugging Face's names; none: c_attn, or q_proj and v_proj"),
     .flags = SHAPE},
};
const struct gg_option_table gg_lora_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

double gg_lora_scale(const struct gg_lora_settings *settings) {
    return settings->alpha / (double)settings->rank;
}

/* Whether a name is the whole of a map's, or its end behind a dot. */
static bool names(const char *target, const char *map) {
    const size_t length = strlen(target), whole = strlen(map);
    if (length > whole || strcmp(map + whole - length, target) != 0)
        return false;
    return length == whole || map[whole - length - 1] == '.';
}

bool gg_lora_is_target(const struct gg_lora_settings *settings, const char *map) {
    for (size_t i = 0; i < settings->targets.count; i++)
        if (names(settings->targets.items[i], map))
            return true;
    return false;
}
