/* Softmax cross-entropy over a vocabulary that may be split over feature shards, in passes between which the
 * caller takes a maximum and a sum over the shards. All local.
 *
 * Logits are (tokens, local_vocab); column c is vocabulary entry first + c. Entries from `vocab` on are
 * padding: they take no part, and get no gradient. Targets are entries of the whole vocabulary.
 */
#ifndef GG_CORE_KERNELS_LOSS_H
#define GG_CORE_KERNELS_LOSS_H

#include "core/kernels/storage.h"

struct gg_logits {
    float *values; /* (tokens, local_vocab) */
    int64_t tokens, local_vocab;
    int64_t first; /* entry of column 0 */
    int64_t vocab; /* entries that are none of padding */
};

/* Pass 1: largest[t] = max over this rank's entries. (tokens) */
void gg_loss_maximum(const struct gg_logits *logits, float *largest);

/* Pass 2, from the whole maximum: sums[t] = (sum of exp(logit - largest), logit of the target - largest where
 * it is this rank's, else 0). sums (tokens, 2). The logits become exp(logit - largest). */
void gg_loss_exponentials(const struct gg_logits *logits, const float *largest, const int32_t *targets,
                          float *sums);

/* Pass 3, from the whole sums: sum over tokens of weight (log sum - target).
 *   weights [in] (tokens) or NULL: 1 each */
double gg_loss_sum(const float *sums, const float *weights, int64_t tokens);

/* Backward: from the exponentials, d logits = scale weight (softmax - one-hot(target)).
 *   d_logits [out] (tokens, local_vocab) of the precision `stored`; may be logits->values, in either
 *                  precision */
void gg_loss_backward(const struct gg_logits *logits, const float *sums, const int32_t *targets,
                      const float *weights, float scale, enum gg_precision stored, void *d_logits);

#endif
