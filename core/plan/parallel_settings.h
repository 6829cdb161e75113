/* The settings parallel.*: how ranks share the work.
 */
#ifndef GG_CORE_PLAN_PARALLEL_SETTINGS_H
#define GG_CORE_PLAN_PARALLEL_SETTINGS_H

#include "core/base/options.h"

enum gg_driver { GG_DRIVER_AUTO, GG_DRIVER_CALLS, GG_DRIVER_THREAD };

struct gg_parallel_settings {
    char *grid; /* "PxQ" */
    int64_t zero, block;
    int progress;       /* enum gg_driver: of the sum of gradients over replicas */
    int reduction;      /* enum gg_reduction */
    int wire;           /* enum gg_precision */
    char *reproducible; /* "auto", or a number of virtual replicas */
};

extern const struct gg_option_table gg_parallel_setting_rows;

enum { GG_MOST_VIRTUAL_REPLICAS = 65536 };

/* Reads parallel.reproducible.
 *   virtual_replicas [out] 0: auto
 * GG_USAGE: neither auto nor a power of two. */
gg_status gg_reproducible_parse(const char *text, int *virtual_replicas) GG_MUST_USE;

#endif
