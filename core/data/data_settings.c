#include "core/data/data_settings.h"

#include "core/base/option_rows.h"

#define GG_ROWS_OF struct gg_data_settings
static const struct gg_option rows[] = {
    {GG_ROW_LIST("data.train", train, "training shards: a path, a glob or a list")},
    {GG_ROW_LIST("data.val", val, "validation shards: a path, a glob or a list")},
    {GG_ROW_TEXT("data.tokenizer", tokenizer, NULL,
                 "tokenizer; unset: tokenizer.json beside the first training shard")},
    {GG_ROW_INTEGER("data.seed", seed, 0, GG_ROW_MANY, "1", "seed of the sample order")},
};
const struct gg_option_table gg_data_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
