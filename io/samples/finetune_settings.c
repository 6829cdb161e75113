#include "io/samples/finetune_settings.h"

#include "core/base/option_rows.h"

static const char *const too_long_names[] = {"truncate", "refuse", NULL};

#define GG_ROWS_OF struct gg_finetune_settings
static const struct gg_option rows[] = {
    {GG_ROW_TEXT("finetune.from", from, NULL,
                 "checkpoint or run folder that finetune begins with; it brings model.* with it")},
    {GG_ROW_CHOICE("finetune.form", form, gg_sample_form_names, "auto",
                   "fields of a line of samples; auto: as the first line has them")},
    {GG_ROW_TEXT("finetune.task", task, NULL,
                 "what is asked for, told in a line before each sample that names no \"task\" of its own")},
    {GG_ROW_CHOICE("finetune.too_long", too_long, too_long_names, "truncate",
                   "a sample longer than model.context: its prompt's beginning, else its end is cut off")},
    {GG_ROW_INTEGER("finetune.patience", patience, 0, GG_ROW_MANY, "0",
                    "eval.patience by another name: validations without a better loss that end the run")},
};
const struct gg_option_table gg_finetune_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
