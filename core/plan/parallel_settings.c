#include "core/plan/parallel_settings.h"

#include "core/base/option_rows.h"

static const char *const drivers[] = {"auto", "calls", "thread", NULL};

#define GG_ROWS_OF struct gg_parallel_settings
static const struct gg_option rows[] = {
    {GG_ROW_TEXT("parallel.grid", grid, "1x1", "ranks of one replica: feature shards x token shards")},
    {GG_ROW_INTEGER("parallel.zero", zero, 0, 1, "0", "1: optimizer state is split over the replicas")},
    {GG_ROW_INTEGER("parallel.block", block, 1, 65536, "256",
                    "PBLAS's logical block: how much of the inner index it takes at once")},
    {GG_ROW_CHOICE(
        "parallel.progress", progress, drivers, "auto",
        "what drives the sum of gradients on: calls between kernels, or a thread; auto: a thread where a core is free")},
};
const struct gg_option_table gg_parallel_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
