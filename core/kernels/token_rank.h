/* Where an entry of the vocabulary stands among all by their logits, and which come first, in passes between which
 * the caller takes a sum or a maximum over the feature shards (core/kernels/loss.h has the logits). All local.
 *
 * The order is by logit, larger first; entries of equal logits stand in order of their ids. A logit that is not a
 * number comes before nothing. Ids and counts are exact in float32: a vocabulary has fewer than
 * GG_RANKED_VOCAB entries. Tokens of weight 0 are passed over, what belongs to them is set to 0.
 */
#ifndef GG_CORE_KERNELS_TOKEN_RANK_H
#define GG_CORE_KERNELS_TOKEN_RANK_H

#include "core/kernels/loss.h"

enum { GG_RANKED_VOCAB = 1 << 24 };

/* values[t] = the target's logit where it is this rank's, else 0: summed over the shards it is the logit.
 *   weights [in] (tokens) or NULL: all count */
void gg_rank_targets(const struct gg_logits *logits, const int32_t *targets, const float *weights,
                     float *values);

/* counts[t] = this rank's entries that stand before the target: summed over the shards that is its rank, from 0.
 * Of a target whose logit is not a number, all entries.
 *   values [in] (tokens) the targets' logits */
void gg_rank_counts(const struct gg_logits *logits, const int32_t *targets, const float *weights,
                    const float *values, float *counts);

/* This rank's first entry behind an entry: its logit and its id; -infinity and the vocabulary's size where there is
 * none.
 *   values, ids           [in]  (tokens) the entry; NULL: whichever is first of all
 *   next_values, next_ids [out] (tokens); may be values and ids */
void gg_rank_next(const struct gg_logits *logits, const float *weights, const float *values,
                  const int32_t *ids, float *next_values, int32_t *next_ids);

#endif
