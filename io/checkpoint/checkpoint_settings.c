#include "io/checkpoint/checkpoint_settings.h"

#include "core/base/option_rows.h"

#define GG_ROWS_OF struct gg_checkpoint_settings
static const struct gg_option rows[] = {
    {GG_ROW_INTEGER("checkpoint.every_steps", every_steps, 0, GG_ROW_MANY, "0",
                    "steps between checkpoints; 0: at the end")},
    {GG_ROW_REAL("checkpoint.every_minutes", every_minutes, 0, 1e6, "0",
                 "minutes between checkpoints; 0: not by time")},
    {GG_ROW_INTEGER("checkpoint.keep", keep, 1, 1e6, "3", "checkpoints kept; older ones are removed")},
    {GG_ROW_INTEGER("checkpoint.keep_every", keep_every, 0, GG_ROW_MANY, "0",
                    "checkpoints of every so many steps are kept for ever; 0: none")},
    {GG_ROW_SWITCH("checkpoint.async", async, "true",
                   "write checkpoints behind the training; takes memory for a copy")},
    {GG_ROW_SWITCH("checkpoint.best", best, "false",
                   "write a checkpoint behind each validation with a better loss, and keep it as "
                   "checkpoints/best.h5; eval.patience does so too")},
};
const struct gg_option_table gg_checkpoint_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
