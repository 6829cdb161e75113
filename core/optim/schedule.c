#include "core/optim/schedule.h"

#include <math.h>

/* The share of [begin, end] that is done at `step`, in [0, 1]. */
static double share(int64_t step, int64_t begin, int64_t end) {
    if (step >= end)
        return 1;
    if (step <= begin)
        return 0;
    return (double)(step - begin) / (double)(end - begin);
}

double gg_learning_rate(const struct gg_optim_settings *settings, int64_t steps, int64_t step) {
    const double lr = settings->lr, min_lr = settings->min_lr;
    const int64_t warmup = settings->warmup;
    if (step < warmup)
        return lr * (double)step / (double)warmup;
    const double x = share(step, warmup, steps);
    switch ((enum gg_schedule)settings->schedule) {
    case GG_SCHEDULE_COSINE:
        return min_lr + (lr - min_lr) * 0.5 * (1 + cos(3.14159265358979323846 * x));
    case GG_SCHEDULE_LINEAR:
        return lr + (min_lr - lr) * x;
    case GG_SCHEDULE_WSD:
        if (settings->decay == 0)
            return lr;
        return min_lr + (lr - min_lr) * (1 - sqrt(share(step, steps - settings->decay, steps)));
    case GG_SCHEDULE_CONSTANT:
        break;
    }
    return lr;
}
