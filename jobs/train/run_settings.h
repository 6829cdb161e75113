/* The settings run.*: where a run lives, how long it goes on, and what ends it.
 */
#ifndef GG_JOBS_TRAIN_RUN_SETTINGS_H
#define GG_JOBS_TRAIN_RUN_SETTINGS_H

#include "core/base/options.h"

struct gg_run_settings {
    char *dir;
    char *from; /* NULL: none */
    int64_t seed, steps;
    int64_t max_bad_steps;
    bool restart;
    double max_minutes;
    int64_t watchdog;
    double watchdog_minutes;
};

extern const struct gg_option_table gg_run_setting_rows;

/* GG_USAGE: no folder. Local. */
gg_status gg_run_settings_check(const struct gg_run_settings *settings) GG_MUST_USE;

#endif
