/* A model that computes: a graph (graph.h), a fabric that says how ranks hold it, and memory for activations.
 *
 * Its passes go over a list of steps (step_list_internal.h). In bf16, activations, their gradients and the
 * operands of matmuls are bfloat16 (storage.h); the residual stream is one of them. Weights and gradients are
 * flat float32 buffers of the parameter table's layout and belong to the caller.
 *
 * Everything that computes is collective over the fabric's ranks.
 */
#ifndef GG_CORE_MODEL_MODEL_H
#define GG_CORE_MODEL_MODEL_H

#include "core/base/status.h"
#include "core/kernels/storage.h"
#include "core/model/fabric.h"
#include "core/model/graph.h"
#include "core/model/model_types.h"
#include "core/model/token_scores.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes that gg_model_create will allocate: activations, scratch and, in bf16, the rounded copy of the
 * weights; not weights or gradients. Local. */
size_t gg_model_bytes(const struct gg_graph *graph, enum gg_model_use use, int64_t local_sequences);

/* What messages call them when there is no memory for them, and what to do then. Local. */
const char *gg_model_activations_name(const struct gg_graph *graph, enum gg_model_use use);

/* Makes a model.
 *   graph           [in]  kept; must outlive the model
 *   fabric          [in]  of the graph's shards; kept; must outlive the model
 *   local_sequences [in]  this rank's sequences of a micro-batch (micro-batch / Q)
 *   weights         [in]  flat buffer of the graph's table, kept; may change between calls
 *                         (gg_model_weights_changed)
 *   gradients       [in]  flat buffer (trained_elements), kept; NULL unless GG_MODEL_TRAIN
 * GG_RESOURCE: no memory. Local. */
gg_status gg_model_create(const struct gg_graph *graph, const struct gg_fabric *fabric, enum gg_model_use use,
                          int64_t local_sequences, const float *weights, float *gradients,
                          gg_model **model) GG_MUST_USE;
void gg_model_destroy(gg_model **model);

/* In bf16 the model multiplies with a rounded copy of its weights. This rounds them all anew; to be called
 * after the weights changed. Nothing to do in fp32. Local. */
void gg_model_weights_changed(gg_model *model);

/* The same where only those changed that are trained. */
void gg_model_trained_weights_changed(gg_model *model);

/* That copy, of the flat buffer's layout, for an optimizer that writes both at once; NULL in fp32. */
gg_bf16 *gg_model_rounded_weights(gg_model *model);

/* Called during the backward pass: gradients at offsets >= `from` of their flat buffer are final for this
 * micro-batch, and `from` only ever falls, to 0 at last. Called between kernels even when nothing new is
 * final (then `from` is as before), so that communication may be driven on. */
struct gg_gradient_hook {
    void (*ready)(void *context, int64_t from);
    void *context;
};

/* Forward and backward pass of a micro-batch: adds d(loss_scale * sum of weighted losses) to the gradients.
 *   hook      [in]  or NULL
 *   loss_sum  [out] sum over this rank's tokens of weight * cross-entropy in nats, unscaled; the same on
 *                   every feature shard
 * Gradients of vectors are this token shard's share: the caller sums them over Q. Not finite inputs give a
 * loss that is not finite, nothing else. */
void gg_model_train(gg_model *model, const struct gg_batch *batch, float loss_scale,
                    const struct gg_gradient_hook *hook, double *loss_sum);

/* Forward pass without dropout: sum of weighted losses, as above. */
void gg_model_evaluate(gg_model *model, const struct gg_batch *batch, double *loss_sum);

/* Forward pass without dropout, for what a head makes of each target: its log-probability and rank, and the likeliest
 * entries in its place (token_scores.h); of the vocabulary, or of the classes of texts. Targets of weight 0 are passed
 * over: what stands for them then means nothing. The batch's targets of the other head are not looked at. */
void gg_model_score(gg_model *model, const struct gg_batch *batch, struct gg_token_scores *scores);

/* Forward pass of `count` more tokens of one sequence, with its key-value cache: the cache must hold the
 * tokens before `position`, and holds these too afterwards. position + count must not exceed the context.
 *   sequence [in]  which of local_sequences
 *   logits   [out] (padded_vocab) of the last token; entries from `vocab` on mean nothing */
void gg_model_prefill(gg_model *model, int64_t sequence, const int32_t *ids, int64_t count, int64_t position,
                      float *logits);

/* Forward pass of one more token of some sequences, each at its own position: weights are read once for all of
 * them. A sequence's cache must hold the tokens before its position.
 *   sequences      [in]  (count) which, each once
 *   ids, positions [in]  (count)
 *   logits         [out] (count, padded_vocab) */
void gg_model_decode(gg_model *model, const int64_t *sequences, int64_t count, const int32_t *ids,
                     const int64_t *positions, float *logits);

/* Whether a sequence's logits from gg_model_decode do not depend on which others are there, to the last bit. Else
 * they only do not where equally many are, and a sequence that nobody needs may take part, with any id at any
 * position that its cache reaches. */
bool gg_model_decodes_alone(const gg_model *model);

/* gg_model_prefill of the first sequence. */
void gg_model_logits(gg_model *model, const int32_t *ids, int64_t count, int64_t position, float *logits);

/* Where the time went, by kind of kernel, since the last gg_model_times_reset. */
extern const char *const gg_kernel_kind_names[GG_KERNEL_KINDS];
struct gg_model_times gg_model_times(const gg_model *model);
void gg_model_times_reset(gg_model *model);

#endif
