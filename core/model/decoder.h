/* Generation: a model with a key-value cache that text is fed to, token by token, beyond its context if need
 * be. Collective over the fabric's ranks, with the same arguments; every rank draws the same tokens.
 */
#ifndef GG_CORE_MODEL_DECODER_H
#define GG_CORE_MODEL_DECODER_H

#include "core/model/model.h"
#include "core/model/sampling.h"

typedef struct gg_decoder gg_decoder;

/* Arguments as gg_model_create. GG_RESOURCE: no memory. */
gg_status gg_decoder_create(const struct gg_graph *graph, const struct gg_fabric *fabric,
                            const float *weights, gg_decoder **decoder) GG_MUST_USE;
void gg_decoder_destroy(gg_decoder **decoder);

/* Feeds tokens. When the context is full, the older half is forgotten and the newer half fed again, at the
 * first positions: learned positions end where the context ends. Tokens that would be forgotten within the
 * call are never computed: a text of any length costs one pass over a context at most. */
void gg_decoder_feed(gg_decoder *decoder, const int32_t *ids, int64_t count);

/* Tokens that went through the model so far. */
int64_t gg_decoder_computed(const gg_decoder *decoder);

/* Draws the token after those fed (at least one must have been). It is not fed. */
uint32_t gg_decoder_sample(gg_decoder *decoder, const struct gg_sampling *sampling);

#endif
