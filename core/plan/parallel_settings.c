#include "core/plan/parallel_settings.h"

#include "core/base/option_rows.h"
#include "core/plan/summation.h"

#include <stdlib.h>
#include <string.h>

static const char *const drivers[] = {"auto", "calls", "thread", NULL};
static const char *const wires[] = {"fp32", "bf16", NULL}; /* enum gg_precision */

#define GG_ROWS_OF struct gg_parallel_settings
static const struct gg_option rows[] = {
    {GG_ROW_TEXT("parallel.grid", grid, "1x1", "ranks of one replica: feature shards x token shards")},
    {GG_ROW_INTEGER("parallel.zero", zero, 0, 1, "0", "1: optimizer state is split over the replicas")},
    {GG_ROW_INTEGER("parallel.block", block, 1, 65536, "256",
                    "PBLAS's logical block: how much of the inner index it takes at once")},
    {GG_ROW_CHOICE(
        "parallel.progress", progress, drivers, "auto",
        "what drives the sum of gradients on: calls between kernels, or a thread; auto: a thread where a core is free")},
    {GG_ROW_CHOICE(
        "parallel.reduction", reduction, gg_reduction_names, "auto",
        "how gradients go: pairwise, straight from each replica to each; tree, in log2(D) rounds; auto: "
        "the tree from 5 replicas on")},
    {GG_ROW_CHOICE(
        "parallel.wire", wire, wires, "fp32",
        "precision of gradients between replicas; bf16: half the bytes, what rounding leaves is added "
        "to the next step's")},
    {GG_ROW_TEXT(
        "parallel.reproducible", reproducible, "auto",
        "V, a power of two: the same bits on any number of replicas that divides it; auto: that of the "
        "run's first start")},
};
const struct gg_option_table gg_parallel_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

gg_status gg_reproducible_parse(const char *text, int *virtual_replicas) {
    char *end;
    *virtual_replicas = 0;
    if (text == NULL || strcmp(text, "auto") == 0)
        return GG_OK;
    const long value = text[0] >= '1' && text[0] <= '9' ? strtol(text, &end, 10) : 0;
    if (value < 1 || *end != '\0' || value > GG_MOST_VIRTUAL_REPLICAS || (value & (value - 1)) != 0)
        return gg_fail(GG_USAGE,
                       "parallel.reproducible is '%s'; it needs auto, or a power of two from 1 to %d", text,
                       GG_MOST_VIRTUAL_REPLICAS);
    *virtual_replicas = (int)value;
    return GG_OK;
}
