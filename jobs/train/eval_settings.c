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
    {GG_ROW_LIST("eval.tasks", tasks,
                 "task files, JSONL as evaluate --task takes them, that are scored with each validation")},
    {GG_ROW_INTEGER("eval.sample_every", sample_every, 0, GG_ROW_MANY, "0",
                    "steps between texts that the model writes; 0: it writes none")},
    {GG_ROW_LIST("eval.sample_prompts", sample_prompts,
                 "the texts that it goes on from; unset: one is written from its beginning")},
    {GG_ROW_INTEGER("eval.sample_tokens", sample_tokens, 1, 1e6, "64", "tokens of each at most")},
    {GG_ROW_REAL("eval.sample_temperature", sample_temperature, 0, 100, "0.8",
                 "below 1 more predictable, 0 always the likeliest; drawn by run.seed")},
};
const struct gg_option_table gg_eval_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
