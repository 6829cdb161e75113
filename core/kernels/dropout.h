/* Dropout masks (Srivastava et al. 2014, inverted scaling) as pure functions of (seed, site, global element):
 * the same on every layout, recomputed in the backward pass rather than kept. Local.
 */
#ifndef GG_CORE_KERNELS_DROPOUT_H
#define GG_CORE_KERNELS_DROPOUT_H

#include <stdint.h>

struct gg_dropout {
    uint64_t seed;
    uint32_t threshold; /* of 65536: an element is dropped when its 16 random bits are below; 0: no dropout */
    float scale;        /* of what is kept: 1 / (1 - threshold / 65536) */
};

/* The nearest dropout of probability p that 16 bits can draw. */
struct gg_dropout gg_dropout_make(double p, uint64_t seed);

/* Multipliers (0 or scale) of elements [first, first + count) of a site.
 *   site [in]  which dropout of the model (layer and kind)
 *   mask [out] (count) */
void gg_dropout_mask(const struct gg_dropout *dropout, uint32_t site, uint64_t first, int64_t count,
                     float *mask);

/* Dropout of activations (tokens, width): masks derive from (sample, position, feature of the model). */
struct gg_dropout_rows {
    struct gg_dropout dropout;
    uint32_t site;
    const uint64_t *sample_ids;         /* of the sequences; NULL without dropout */
    int64_t time, context;              /* tokens of a sequence; positions of the model */
    int64_t whole_width, first_feature; /* features of the model; the first of this rank */
};

/* The multipliers of token t (of sequences * time). mask (width). */
void gg_dropout_row(const struct gg_dropout_rows *rows, int64_t t, int64_t width, float *mask);

#endif
