#include "jobs/train/run_settings.h"

#include "core/base/option_rows.h"

#define GG_ROWS_OF struct gg_run_settings
static const struct gg_option rows[] = {
    {GG_ROW_TEXT("run.dir", dir, "run", "run folder")},
    {GG_ROW_TEXT("run.from", from, NULL,
                 "checkpoint or run folder whose weights a new run begins with; it brings model.* with it")},
    {GG_ROW_INTEGER("run.seed", seed, 0, GG_ROW_MANY, "1", "seed of initial weights and dropout")},
    {GG_ROW_INTEGER("run.steps", steps, 1, GG_ROW_MANY, "1000", "optimizer steps")},
    {GG_ROW_INTEGER("run.max_bad_steps", max_bad_steps, 1, GG_ROW_MANY, "10",
                    "steps skipped in a row (loss or gradient not finite) that end the run")},
    {GG_ROW_SWITCH("run.restart", restart, "false",
                   "begin again at step 0 when the run folder has checkpoints and none can be used")},
    {GG_ROW_REAL(
        "run.max_minutes", max_minutes, 0, 1e7, "0",
        "stop with a checkpoint, to be started again, before so many minutes are over; 0: only a job's end counts")},
    {GG_ROW_INTEGER("run.watchdog", watchdog, 0, 1e6, "20",
                    "abort when no step ends in so many times the median step; 0: never")},
    {GG_ROW_REAL("run.watchdog_minutes", watchdog_minutes, 0.01, 1e6, "10",
                 "but not before so many minutes; start, validation and checkpoints get six times as many")},
};
const struct gg_option_table gg_run_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

gg_status gg_run_settings_check(const struct gg_run_settings *settings) {
    if (settings->dir == NULL)
        return gg_fail(GG_USAGE, "run.dir is empty; a folder is wanted");
    return GG_OK;
}
