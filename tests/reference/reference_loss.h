/* Softmax cross-entropy, plain (Goodfellow et al. 2016, "Deep learning", eq. 6.30).
 *   loss = sum over tokens of weight (log(sum of exp(logit)) - logit of the target)
 *   d logits = scale weight (softmax(logits) - one-hot(target))
 * Of each token's `stride` logits the first `vocab` are real; the others are padding, without gradient.
 */
#ifndef GG_TESTS_REFERENCE_LOSS_H
#define GG_TESTS_REFERENCE_LOSS_H

#include <stdint.h>

/* logits (tokens, stride), targets (tokens); weights (tokens), or NULL: 1 each. */
double reference_loss(const double *logits, const int32_t *targets, const float *weights, int64_t tokens,
                      int64_t stride, int64_t vocab);

/* d_logits [out] (tokens, stride) */
void reference_loss_backward(const double *logits, const int32_t *targets, const float *weights, double scale,
                             int64_t tokens, int64_t stride, int64_t vocab, double *d_logits);

/* log(sum of exp(logit)) of one token, taken relative to the largest, so that no exponential overflows. */
double reference_log_sum(const double *logits, int64_t vocab);

#endif
