/* The settings data.*: what is trained on, and in which order.
 */
#ifndef GG_CORE_DATA_DATA_SETTINGS_H
#define GG_CORE_DATA_DATA_SETTINGS_H

#include "core/base/options.h"

struct gg_data_settings {
    struct gg_text_list train, val;
    char *tokenizer; /* NULL: tokenizer.json beside the first training shard */
    int64_t seed;
};

extern const struct gg_option_table gg_data_setting_rows;

#endif
