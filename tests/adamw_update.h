/* One update by AdamW with GPT-2's usual settings; shared by the tests that take optimizer steps. */
#ifndef GG_TESTS_ADAMW_UPDATE_H
#define GG_TESTS_ADAMW_UPDATE_H

#include "core/optim/gradient_norm.h"
#include "core/optim/optimizer.h"

static inline void adamw_update(const struct gg_parameter_table *table, int64_t from, int64_t to,
                                double learning_rate, int64_t step, double scale, const float *gradients,
                                float *exp_avg, float *exp_avg_sq, float *weights, gg_bf16 *rounded) {
    const struct gg_optimizer adamw = {
        .kind = &gg_optimizer_adamw, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};
    const struct gg_update update = {.table = table,
                                     .from = from,
                                     .to = to,
                                     .learning_rate = learning_rate,
                                     .step = step,
                                     .gradient_scale = scale,
                                     .gradients = gradients,
                                     .states = {exp_avg, exp_avg_sq},
                                     .weights = weights,
                                     .rounded = rounded};
    gg_optimizer_update(&adamw, &update);
}

#endif
