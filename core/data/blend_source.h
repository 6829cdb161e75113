/* A blend of corpora as a source: samples of several sources in the order of core/data/blend.h. Local.
 */
#ifndef GG_CORE_DATA_BLEND_SOURCE_H
#define GG_CORE_DATA_BLEND_SOURCE_H

#include "core/data/source.h"

/* A corpus of a blend. */
struct gg_blend_part {
    const char *name; /* used only while the source is made */
    double weight;
    struct gg_source source; /* without end */
};

/* Takes over the parts' sources, which have one tokenizer and one context. Of the blend, `samples` are those of an
 * epoch of each corpus together, and the data's fingerprint is of the corpora's names, weights and data.
 *   parts [in] (count) at most GG_BLEND_CORPORA, with weights as gg_blend_create takes them */
struct gg_source gg_blend_source(const struct gg_blend_part *parts, int count);

/* The most bytes that a blend takes beside its parts. */
size_t gg_blend_source_most_bytes(void);

#endif
