/* The settings optim.*: the optimizer and its learning rate. All local.
 */
#ifndef GG_CORE_OPTIM_OPTIM_SETTINGS_H
#define GG_CORE_OPTIM_OPTIM_SETTINGS_H

#include "core/base/options.h"

enum gg_optim { GG_OPTIM_ADAMW, GG_OPTIM_SGD };
enum gg_schedule { GG_SCHEDULE_COSINE, GG_SCHEDULE_LINEAR, GG_SCHEDULE_CONSTANT, GG_SCHEDULE_WSD };

struct gg_optim_settings {
    double lr, min_lr;
    int64_t warmup, decay;
    int name;     /* enum gg_optim */
    int schedule; /* enum gg_schedule */
    double weight_decay, beta1, beta2, eps, momentum, clip;
};

extern const struct gg_option_table gg_optim_setting_rows;

/* Fills in the final learning rate and the length of wsd's decay where they were not given, then checks that
 * rates and phases are in order.
 *   given [in] per row: set from a file or the command line, not by default
 *   steps [in] of the run (run.steps)
 * GG_USAGE: optim.min_lr above optim.lr; warm-up and decay longer than the run. */
gg_status gg_optim_settings_resolve(struct gg_optim_settings *settings, const bool *given,
                                    int64_t steps) GG_MUST_USE;

#endif
