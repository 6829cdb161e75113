/* The settings eval.*: when a run is validated, on how much, by which tasks, and what it writes.
 */
#ifndef GG_JOBS_TRAIN_EVAL_SETTINGS_H
#define GG_JOBS_TRAIN_EVAL_SETTINGS_H

#include "core/base/options.h"

struct gg_eval_settings {
    int64_t every_steps, sequences;
    int64_t patience; /* validations without a better loss before the run ends; 0: never */
    struct gg_text_list tasks, sample_prompts;
    int64_t sample_every, sample_tokens;
    double sample_temperature;
};

extern const struct gg_option_table gg_eval_setting_rows;

#endif
