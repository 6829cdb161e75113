/* The tied head: logits = x wte^T, softmax cross-entropy, and the gradients of x and wte, a few rows at a
 * time. */
#include "core/model/step.h"

#include "core/base/clock.h"
#include "core/kernels/loss.h"

/* Rows of logits taken at once: all where the vocabulary is split over ranks, so that one exchange serves
 * them; where it is not, one that stays in cache from its maximum to its exponentials. */
static int64_t loss_block(const struct gg_gpt *gpt, int64_t tokens) {
    return gpt->fabric->feature_shards > 1 ? tokens : 1;
}

/* The loss of `rows` tokens whose logits stand in gpt->logits; leaves exponentials there. */
static double loss_rows(struct gg_gpt *gpt, const struct gg_logits *logits, const int32_t *targets,
                        const float *weights, float *sums) {
    const struct gg_fabric *fabric = gpt->fabric;
    float *largest = sums + 2 * logits->tokens;
    const int64_t rows = loss_block(gpt, logits->tokens);
#pragma omp parallel for schedule(static) if (rows < logits->tokens)
    for (int64_t start = 0; start < logits->tokens; start += rows) {
        struct gg_logits part = *logits;
        part.values += start * logits->local_vocab;
        part.tokens = start + rows < logits->tokens ? rows : logits->tokens - start;
        gg_loss_maximum(&part, largest + start);
        fabric->feature_max(fabric, largest + start, part.tokens);
        gg_loss_exponentials(&part, largest + start, targets + start, sums + 2 * start);
        fabric->feature_sum(fabric, sums + 2 * start, 2 * part.tokens);
    }
    return gg_loss_sum(sums, weights, logits->tokens);
}

void gg_head_loss(struct gg_gpt *gpt, struct gg_pass *pass, bool train) {
    const struct gg_fabric *fabric = gpt->fabric;
    const struct gg_step *head = &gpt->head;
    const enum gg_precision stored = gpt->config.precision;
    const void *wte = gg_operand_weights(gpt, head->weight);
    const int64_t width = head->width, local_vocab = gpt->config.padded_vocab / fabric->feature_shards;
    struct gg_gpt_times *times = &gpt->times;
    pass->loss_sum = 0;
    for (int64_t start = 0; start < pass->tokens; start += gpt->head_tokens) {
        const int64_t rows =
            start + gpt->head_tokens < pass->tokens ? gpt->head_tokens : pass->tokens - start;
        const void *x = gg_at(stored, head->x, start * width);
        const int32_t *targets = pass->batch->targets + start;
        const float *weights = pass->batch->loss_weights != NULL ? pass->batch->loss_weights + start : NULL;
        const struct gg_logits logits = {gpt->logits, rows, local_vocab, fabric->feature_index * local_vocab,
                                         gpt->config.vocab};
        const double begin = gg_clock_seconds();
        fabric->matmul(fabric, GG_PRODUCT_FORWARD, &head->linear, rows, x, wte, false, gpt->logits);
        const double multiplied = gg_clock_seconds();
        pass->loss_sum += loss_rows(gpt, &logits, targets, weights, gpt->token_sums);
        const double measured = gg_clock_seconds();
        times->forward[GG_KERNEL_MATMUL] += multiplied - begin;
        times->forward[GG_KERNEL_LOSS] += measured - multiplied;
        if (!train)
            continue;
        void *d_logits = gpt->logits; /* in place */
        gg_loss_backward(&logits, gpt->token_sums, targets, weights, pass->loss_scale, stored, d_logits);
        const double differentiated = gg_clock_seconds();
        fabric->matmul(fabric, GG_PRODUCT_WEIGHT_GRADIENT, &head->linear, rows, x, d_logits, true,
                       gpt->gradients + head->weight);
        fabric->matmul(fabric, GG_PRODUCT_INPUT_GRADIENT, &head->linear, rows, d_logits, wte, false,
                       gg_at(stored, head->d_x, start * width));
        times->backward[GG_KERNEL_LOSS] += differentiated - measured;
        times->backward[GG_KERNEL_MATMUL] += gg_clock_seconds() - differentiated;
    }
}
