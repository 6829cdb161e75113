/* One update by an optimizer, in one call, and AdamW and SGD with GPT-2's usual settings; shared by the tests
 * that take optimizer steps. */
#ifndef GG_TESTS_OPTIMIZER_UPDATE_H
#define GG_TESTS_OPTIMIZER_UPDATE_H

#include "core/optim/gradient_norm.h"
#include "core/optim/optimizer.h"

static const struct gg_optimizer adamw = {
    .kind = &gg_optimizer_adamw, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};

/*   state2 [in,out] NULL where the optimizer has one state */
static inline void optimizer_update(const struct gg_optimizer *optimizer,
                                    const struct gg_parameter_table *table, int64_t from, int64_t to,
                                    double learning_rate, int64_t step, double scale, const float *gradients,
                                    float *state1, float *state2, float *weights, gg_bf16 *rounded) {
    const struct gg_update update = {.table = table,
                                     .from = from,
                                     .to = to,
                                     .learning_rate = learning_rate,
                                     .step = step,
                                     .gradient_scale = scale,
                                     .gradients = gradients,
                                     .states = {state1, state2},
                                     .weights = weights,
                                     .rounded = rounded};
    gg_optimizer_update(optimizer, &update);
}

static inline void adamw_update(const struct gg_parameter_table *table, int64_t from, int64_t to,
                                double learning_rate, int64_t step, double scale, const float *gradients,
                                float *exp_avg, float *exp_avg_sq, float *weights, gg_bf16 *rounded) {
    optimizer_update(&adamw, table, from, to, learning_rate, step, scale, gradients, exp_avg, exp_avg_sq,
                     weights, rounded);
}

#endif
