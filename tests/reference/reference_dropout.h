/* Dropout multipliers, plain (Srivastava et al. 2014, "Dropout", section 10: inverted scaling): an element is
 * dropped when its 16 bits are below 65536 p, and else multiplied by 1 / (1 - p). Element e of a site has
 * bits 16 (e mod 8) to 16 (e mod 8) + 15 of the 128 that Philox gives for (seed, site, e div 8).
 */
#ifndef GG_TESTS_REFERENCE_DROPOUT_H
#define GG_TESTS_REFERENCE_DROPOUT_H

#include <stdint.h>

/* threshold: 65536 p. */
double reference_dropout_multiplier(uint64_t seed, uint32_t site, uint32_t threshold, uint64_t element);

/* The element of activations: (sample, position, feature) in a model of `context` positions and `width`
 * features. */
uint64_t reference_dropout_feature(uint64_t sample, int64_t position, int64_t feature, int64_t context,
                                   int64_t width);

/* The element of attention's probabilities: (sample, head, query, key) of `heads` heads. */
uint64_t reference_dropout_probability(uint64_t sample, int64_t head, int64_t query, int64_t key,
                                       int64_t heads, int64_t context);

#endif
