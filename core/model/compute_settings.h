/* The settings compute.*: how a model is computed.
 */
#ifndef GG_CORE_MODEL_COMPUTE_SETTINGS_H
#define GG_CORE_MODEL_COMPUTE_SETTINGS_H

#include "core/base/options.h"
#include "core/base/precision.h"

enum gg_fallback { GG_FALLBACK_NONE, GG_FALLBACK_FP32 };

/* Activations that are made again in the backward pass instead of kept from the forward pass. */
enum gg_recompute {
    GG_RECOMPUTE_NONE,
    GG_RECOMPUTE_ATTENTION, /* norm, queries, keys and values, attention's output */
    GG_RECOMPUTE_BLOCK,     /* all of a block but the stream into it */
};

struct gg_compute_settings {
    int precision; /* enum gg_precision */
    int fallback;  /* enum gg_fallback: where the processor has no bf16 */
    int recompute; /* enum gg_recompute */
    int64_t threads;
};

extern const struct gg_option_table gg_compute_setting_rows;

#endif
