/* Generation: a model with key-value caches for some texts that are written at once, each at its own pace and
 * beyond the context if need be. Collective over the fabric's ranks, with the same arguments; every rank draws
 * the same tokens.
 *
 * What becomes of a text does not depend on the others, to the last bit: a prompt goes through the model
 * alone, and what a step makes of a row of its products does not depend on the other rows. Only where a model
 * is spread over ranks it may depend on how many rows there are: there a step takes as many as there is room for
 * texts, be they in use or not, and a decoder for one text and one for several may differ in last bits; two for
 * equally many do not.
 */
#ifndef GG_CORE_MODEL_DECODER_H
#define GG_CORE_MODEL_DECODER_H

#include "core/model/model.h"
#include "core/model/sampling.h"

typedef struct gg_decoder gg_decoder;

/* Bytes that gg_decoder_create will allocate. Local. */
size_t gg_decoder_bytes(const struct gg_graph *graph, int64_t texts);

/* Arguments as gg_model_create. GG_RESOURCE: no memory.
 *   texts [in] how many there is room for; none has any tokens yet */
gg_status gg_decoder_create(const struct gg_graph *graph, const struct gg_fabric *fabric,
                            const float *weights, int64_t texts, gg_decoder **decoder) GG_MUST_USE;
void gg_decoder_destroy(gg_decoder **decoder);

/* A new text in the place of one, without tokens. */
void gg_decoder_begin(gg_decoder *decoder, int64_t text);

/* Feeds a text's tokens, in one pass. When the context is full, the older half is forgotten and the newer half
 * fed again, at the first positions: learned positions end where the context ends. Tokens that would be
 * forgotten within the call are never computed: a text of any length costs one pass over a context at most. */
void gg_decoder_feed(gg_decoder *decoder, int64_t text, const int32_t *ids, int64_t count);

/* Feeds one token to each of several texts, in one pass but for those whose context is full.
 *   ids [in] (texts) tokens; below 0: none for this text */
void gg_decoder_step(gg_decoder *decoder, const int32_t *ids);

/* Tokens that went through the model so far. */
int64_t gg_decoder_computed(const gg_decoder *decoder);

/* Draws the token after a text's that were fed (at least one must have been). It is not fed. */
uint32_t gg_decoder_sample(gg_decoder *decoder, int64_t text, const struct gg_sampling *sampling);

/* The model's log-probability, in nats, of a token there: of the logits as they are, without temperature,
 * penalty or cuts. Local. */
double gg_decoder_log_probability(const gg_decoder *decoder, int64_t text, uint32_t id);

#endif
