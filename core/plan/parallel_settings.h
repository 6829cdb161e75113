/* The settings parallel.*: how ranks share the work.
 */
#ifndef GG_CORE_PLAN_PARALLEL_SETTINGS_H
#define GG_CORE_PLAN_PARALLEL_SETTINGS_H

#include "core/base/options.h"

enum gg_driver { GG_DRIVER_AUTO, GG_DRIVER_CALLS, GG_DRIVER_THREAD };

struct gg_parallel_settings {
    char *grid; /* "PxQ" */
    int64_t zero, block;
    int progress; /* enum gg_driver: of the sum of gradients over replicas */
};

extern const struct gg_option_table gg_parallel_setting_rows;

#endif
