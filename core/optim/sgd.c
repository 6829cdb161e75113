/* SGD with Nesterov's momentum (Sutskever et al. 2013, "On the importance of initialization and momentum in
 * deep learning", section 2), as torch.optim.SGD with nesterov=True has it, in float32:
 *   g <- g + wd p                    tensors with decay only
 *   m <- mu m + g
 *   p <- p - lr (g + mu m)
 */
#include "core/optim/optimizer.h"

enum { MOMENTUM, RATE, DECAY };

static void begin(const struct gg_optimizer *sgd, const struct gg_update *u, struct gg_update_factors *f) {
    f->values[MOMENTUM] = (float)sgd->momentum;
    f->values[RATE] = (float)u->learning_rate;
    f->values[DECAY] = (float)sgd->weight_decay;
}

static void update_part(const struct gg_update_factors *f, const struct gg_update_part *part) {
    const float scale = f->scale, mu = f->values[MOMENTUM], rate = f->values[RATE];
    const float decay = part->decay ? f->values[DECAY] : 0;
    const float *restrict gradients = part->gradients;
    float *restrict momentum = part->states[0], *restrict weights = part->weights;
#pragma omp simd
    for (int64_t i = 0; i < part->count; i++) {
        const float g = gradients[i] * scale + decay * weights[i];
        momentum[i] = mu * momentum[i] + g;
        weights[i] -= rate * (g + mu * momentum[i]);
    }
    for (int64_t i = 0; part->rounded != NULL && i < part->count; i++)
        part->rounded[i] = gg_bf16_round(weights[i]);
}

const struct gg_optimizer_kind gg_optimizer_sgd = {
    .name = "sgd",
    .granularity = GG_GRANULARITY_ELEMENT,
    .state_count = 1,
    .states = {"momentum_buffer"},
    .begin = begin,
    .update_part = update_part,
};
