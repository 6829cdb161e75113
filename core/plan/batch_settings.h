/* The settings batch.*: sequences that are taken at once.
 */
#ifndef GG_CORE_PLAN_BATCH_SETTINGS_H
#define GG_CORE_PLAN_BATCH_SETTINGS_H

#include "core/base/options.h"

struct gg_batch_settings {
    int64_t sequences, micro;
};

extern const struct gg_option_table gg_batch_setting_rows;

/* GG_USAGE: micro-batches do not make up the batch. Local. */
gg_status gg_batch_settings_check(const struct gg_batch_settings *settings) GG_MUST_USE;

#endif
