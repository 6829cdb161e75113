/* The settings checkpoint.*: when checkpoints are written, and which are kept.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_SETTINGS_H
#define GG_IO_CHECKPOINT_CHECKPOINT_SETTINGS_H

#include "core/base/options.h"

struct gg_checkpoint_settings {
    int64_t every_steps;
    double every_minutes;
    int64_t keep, keep_every;
    bool async, best;
};

extern const struct gg_option_table gg_checkpoint_setting_rows;

#endif
