/* The learning rate of a step. Local.
 */
#ifndef GG_CORE_OPTIM_SCHEDULE_H
#define GG_CORE_OPTIM_SCHEDULE_H

#include "core/optim/optim_settings.h"

#include <stdint.h>

/* The learning rate of optimizer step `step` (1 ... steps) of a run of `steps`, a pure function of the resolved settings.
 *
 * Warm-up: lr * step/warmup, so that step 1 takes lr/warmup and step `warmup` the whole lr. Then, with
 * x = (step - warmup) / (steps - warmup) in (0, 1]:
 *   cosine    min_lr + (lr - min_lr) (1 + cos(pi x)) / 2         (Loshchilov & Hutter 2017, eq. 5)
 *   linear    lr + (min_lr - lr) x
 *   constant  lr
 *   wsd       lr, and over the last `decay` steps min_lr + (lr - min_lr) (1 - sqrt(y)) with y = the share of
 *             the decay that is done                             (Haegele et al. 2024, eq. 1)
 * All but constant end at min_lr on the last step, and stay there after it. */
double gg_learning_rate(const struct gg_optim_settings *settings, int64_t steps, int64_t step);

#endif
