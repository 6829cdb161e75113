#include "core/plan/batch_settings.h"

#include "core/base/option_rows.h"

#define GG_ROWS_OF struct gg_batch_settings
static const struct gg_option rows[] = {
    {GG_ROW_INTEGER("batch.sequences", sequences, 1, 1e9, "32",
                    "sequences per optimizer step, over all replicas")},
    {GG_ROW_INTEGER("batch.micro", micro, 1, 1e6, "8",
                    "sequences a replica takes forward and backward at once")},
};
const struct gg_option_table gg_batch_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

gg_status gg_batch_settings_check(const struct gg_batch_settings *settings) {
    if (settings->sequences % settings->micro != 0)
        return gg_fail(GG_USAGE, "batch.micro %lld does not divide batch.sequences %lld",
                       (long long)settings->micro, (long long)settings->sequences);
    return GG_OK;
}
