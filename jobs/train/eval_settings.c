#include "jobs/train/eval_settings.h"

#include "core/base/option_rows.h"

#define GG_ROWS_OF struct gg_eval_settings
static const struct gg_option rows[] = {
    {GG_ROW_INTEGER("eval.every_steps", every_steps, 0, GG_ROW_MANY, "0",
                    "steps between validations; 0: first and last step")},
    {GG_ROW_INTEGER("eval.sequences", sequences, 0, GG_ROW_MANY, "64",
                    "validation sequences of each corpus each time; 0: all")},
    {GG_ROW_INTEGER(
        "eval.patience", patience, 0, GG_ROW_MANY, "0",
        "validations without a better loss after which the run ends; 0: it does not end for that. The "
        "best checkpoint is kept as checkpoints/best.h5")},
};
const struct gg_option_table gg_eval_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
