#include "core/model/compute_settings.h"

#include "core/base/option_rows.h"

static const char *const precisions[] = {"fp32", "bf16", NULL};
static const char *const recomputes[] = {"none", "attention", "block", NULL};
static const char *const fallbacks[] = {"none", "fp32", NULL};

#define GG_ROWS_OF struct gg_compute_settings
static const struct gg_option rows[] = {
    {GG_ROW_CHOICE("compute.precision", precision, precisions, "fp32",
                   "matmuls and activations; sums, weights and the optimizer stay fp32")},
    {GG_ROW_CHOICE("compute.fallback", fallback, fallbacks, "none",
                   "instead of bf16, where a processor has none of it; none: refuse")},
    {GG_ROW_CHOICE("compute.recompute", recompute, recomputes, "none",
                   "activations made again in the backward pass, not kept: of attention, of whole blocks")},
    {GG_ROW_INTEGER("compute.threads", threads, 0, 4096, "0",
                    "threads per rank; 0: OMP_NUM_THREADS, else 1")},
};
const struct gg_option_table gg_compute_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
