/* Drawing the next token from logits. All local.
 */
#ifndef GG_CORE_MODEL_SAMPLING_H
#define GG_CORE_MODEL_SAMPLING_H

#include <stdint.h>

struct gg_sampling {
    double temperature; /* logits are divided by it; 0: always the largest */
    int64_t top_k;      /* only the k largest logits; 0: all (Fan et al. 2018) */
    double top_p; /* only the fewest tokens whose probability reaches it; 1: all (Holtzman et al. 2020) */
    uint64_t seed;
};

/* A token with its probability. */
struct gg_candidate {
    float weight;
    uint32_t id;
};

/* Draws a token: a pure function of the logits, the sampling and `index` (the token's number in the text).
 * Equal logits are taken in order of their ids.
 *   logits     [in] (vocab)
 *   candidates [in] scratch, (vocab) */
uint32_t gg_sample(const float *logits, int64_t vocab, const struct gg_sampling *sampling, uint64_t index,
                   struct gg_candidate *candidates);

#endif
