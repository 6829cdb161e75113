/* AdamW: Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2, with PyTorch's order
 * of operations (torch.optim.AdamW), in float32:
 *   p <- p - lr wd p                 tensors with decay only
 *   m <- b1 m + (1 - b1) g
 *   v <- b2 v + (1 - b2) g^2
 *   p <- p - lr/(1 - b1^t) m / (sqrt(v)/sqrt(1 - b2^t) + eps)
 */
#include "core/optim/optimizer.h"

#include <math.h>

enum { B1, B2, RATE, ROOT2, EPS, KEPT };

static void begin(const struct gg_optimizer *adamw, const struct gg_update *u, struct gg_update_factors *f) {
    f->values[B1] = (float)adamw->beta1;
    f->values[B2] = (float)adamw->beta2;
    f->values[RATE] = (float)(u->learning_rate / (1 - pow(adamw->beta1, (double)u->step)));
    f->values[ROOT2] = (float)(1 / sqrt(1 - pow(adamw->beta2, (double)u->step)));
    f->values[EPS] = (float)adamw->eps;
    f->values[KEPT] = (float)(1 - u->learning_rate * adamw->weight_decay);
}

struct factors {
    float scale, keep, b1, b2, rate, root2, eps;
};

/* One element; returns its new weight. */
static inline float update_one(const struct factors *f, float gradient, float *exp_avg, float *exp_avg_sq,
                               float weight) {
    const float g = gradient * f->scale;
    const float m = f->b1 * *exp_avg + (1 - f->b1) * g;
    const float v = f->b2 * *exp_avg_sq + (1 - f->b2) * g * g;
    *exp_avg = m;
    *exp_avg_sq = v;
    return weight * f->keep - f->rate * m / (sqrtf(v) * f->root2 + f->eps);
}

static void update_part(const struct gg_update_factors *common, const struct gg_update_part *part) {
    const struct factors f = {.scale = common->scale,
                              .keep = part->decay ? common->values[KEPT] : 1,
                              .b1 = common->values[B1],
                              .b2 = common->values[B2],
                              .rate = common->values[RATE],
                              .root2 = common->values[ROOT2],
                              .eps = common->values[EPS]};
    const float *restrict gradients = part->gradients;
    float *restrict exp_avg = part->states[0], *restrict exp_avg_sq = part->states[1];
    float *restrict weights = part->weights;
    if (part->rounded == NULL) {
#pragma omp simd
        for (int64_t i = 0; i < part->count; i++)
            weights[i] = update_one(&f, gradients[i], &exp_avg[i], &exp_avg_sq[i], weights[i]);
    } else {
        gg_bf16 *restrict rounded = part->rounded;
#pragma omp simd
        for (int64_t i = 0; i < part->count; i++) {
            weights[i] = update_one(&f, gradients[i], &exp_avg[i], &exp_avg_sq[i], weights[i]);
            rounded[i] = gg_bf16_round(weights[i]);
        }
    }
}

const struct gg_optimizer_kind gg_optimizer_adamw = {
    .name = "adamw",
    .granularity = GG_GRANULARITY_ELEMENT,
    .state_count = 2,
    .states = {"exp_avg", "exp_avg_sq"},
    .begin = begin,
    .update_part = update_part,
};
