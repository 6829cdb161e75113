#include "core/optim/optim_settings.h"

#include "core/base/option_rows.h"

#include <stdlib.h>

static const char *const optimizers[] = {"adamw", "sgd", NULL};
static const char *const schedules[] = {"cosine", "linear", "constant", "wsd", NULL};

#define GG_ROWS_OF struct gg_optim_settings
static const struct gg_option rows[] = {
    {GG_ROW_CHOICE("optim.name", name, optimizers, "adamw",
                   "optimizer: AdamW, or SGD with Nesterov's momentum"),
     .flags = GG_SETTING_FIXED},
    {GG_ROW_REAL("optim.lr", lr, 0, 10, "6e-4", "peak learning rate")},
    {GG_ROW_REAL("optim.min_lr", min_lr, 0, 10, "6e-5",
                 "learning rate that the schedule ends at; unset: a tenth of optim.lr")},
    {GG_ROW_INTEGER("optim.warmup", warmup, 0, GG_ROW_MANY, "100", "steps of linear warm-up")},
    {GG_ROW_CHOICE("optim.schedule", schedule, schedules, "cosine", "learning rate after the warm-up")},
    {GG_ROW_INTEGER("optim.decay", decay, 0, GG_ROW_MANY, "0",
                    "steps of the final decay of wsd; 0: a fifth of run.steps")},
    {GG_ROW_REAL(
        "optim.weight_decay", weight_decay, 0, 10, "0.1",
        "decay of matrices (never of vectors); decoupled with adamw, added to the gradient with sgd")},
    {GG_ROW_REAL("optim.beta1", beta1, 0, 0.999999, "0.9", "AdamW, first moment")},
    {GG_ROW_REAL("optim.beta2", beta2, 0, 0.999999, "0.95", "AdamW, second moment")},
    {GG_ROW_REAL("optim.eps", eps, 1e-20, 1, "1e-8", "AdamW, added to the root of the second moment")},
    {GG_ROW_REAL("optim.momentum", momentum, 0, 0.999999, "0.9", "SGD, momentum")},
    {GG_ROW_REAL("optim.clip", clip, 0, 1e9, "1", "largest global norm of the gradient; 0: never clipped")},
};
const struct gg_option_table gg_optim_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

/* A tenth of the peak, to the 12 digits that a person would write. */
static double tenth(double lr) {
    char text[40];
    snprintf(text, sizeof text, "%.12g", lr / 10);
    return strtod(text, NULL);
}

gg_status gg_optim_settings_resolve(struct gg_optim_settings *s, const bool *given, int64_t steps) {
    if (!gg_options_given(&gg_optim_setting_rows, given, "optim.min_lr"))
        s->min_lr = tenth(s->lr);
    if (s->min_lr > s->lr)
        return gg_fail(GG_USAGE, "optim.min_lr %g is above optim.lr %g", s->min_lr, s->lr);
    if (s->schedule == GG_SCHEDULE_WSD && s->decay == 0)
        s->decay = steps / 5;
    if (s->schedule == GG_SCHEDULE_WSD && s->warmup > steps - s->decay)
        return gg_fail(GG_USAGE,
                       "optim.warmup %lld and optim.decay %lld together are more than run.steps %lld",
                       (long long)s->warmup, (long long)s->decay, (long long)steps);
    return GG_OK;
}
