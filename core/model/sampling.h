/* Drawing the next token from logits. All local.
 */
#ifndef GG_CORE_MODEL_SAMPLING_H
#define GG_CORE_MODEL_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

struct gg_sampling {
    double temperature; /* logits are divided by it; 0: always the largest */
    int64_t top_k;      /* only the k largest logits; 0: all (Fan et al. 2018) */
    double top_p; /* only the fewest tokens whose probability reaches it; 1: all (Holtzman et al. 2020) */
    double
        min_p; /* only tokens at least so probable, relative to the likeliest (Nguyen et al. 2024); 0: all */
    double
        repetition_penalty; /* of tokens that the text has already (gg_penalise_repetition); 0 or 1: none */
    uint64_t seed;
    uint32_t text; /* its number: each text has random numbers of its own */
};

/* A token with its probability. */
struct gg_candidate {
    float weight;
    uint32_t id;
};

/* Makes tokens that a text has already less likely (Keskar et al. 2019, section 4.1): their logits are divided by
 * the penalty, or where they are below 0 multiplied, which a logit's sign must not turn into a reward.
 *   logits    [in]  (vocab)
 *   seen      [in]  (vocab)
 *   penalised [out] (vocab) */
void gg_penalise_repetition(const float *logits, int64_t vocab, const bool *seen, double penalty,
                            float *penalised);

/* Draws a token: a pure function of the logits, the sampling and `index` (the token's number in the text). The
 * cuts by top-k, top-p and min-p come after the temperature, in this order. `repetition_penalty` is the
 * caller's to apply. Equal logits are taken in order of their ids.
 *   logits     [in] (vocab)
 *   candidates [in] scratch, (vocab) */
uint32_t gg_sample(const float *logits, int64_t vocab, const struct gg_sampling *sampling, uint64_t index,
                   struct gg_candidate *candidates);

#endif
