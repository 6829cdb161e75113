/* Every rule of layouts: whether a grid and a batch work on so many ranks, for this model. All local, pure
 * functions of the resolved settings; messages say what would work.
 */
#ifndef GG_CORE_PLAN_LEGALITY_H
#define GG_CORE_PLAN_LEGALITY_H

#include "core/plan/place.h"
#include "core/plan/plan_request.h"

/* Reads "PxQ". GG_USAGE: not of that form. */
gg_status gg_grid_parse(const char *grid, int *feature_shards, int *token_shards) GG_MUST_USE;

/* Checks parallel.grid.
 *   rank  [in]  of `ranks`
 *   place [out] of that rank
 * GG_USAGE: not of the form PxQ; ranks are no multiple of P x Q; P does not divide model.heads, model.kv_heads,
 * model.width, model.mlp_width or, with model.qk_norm, model.head_size; Q does not divide batch.micro, model.width,
 * model.mlp_width or all heads' features. The message lists the grids
 * that would work on so many ranks. */
gg_status gg_legality_grid(const struct gg_plan_request *request, int ranks, int rank,
                           struct gg_place *place) GG_MUST_USE;

/* Checks the batch against the layout.
 * GG_USAGE: batch.micro is no multiple of the token shards, or batch.sequences none of replicas x
 * batch.micro; the message names numbers that are. */
gg_status gg_legality_batch(const struct gg_batch_settings *batch, const struct gg_place *place) GG_MUST_USE;

/* Checks how gradients are summed against the layout and the batch, which is legal.
 * GG_USAGE: parallel.reproducible is of no such form, the replicas do not divide it, it does not divide the
 * micro-batches of a step, or it is set beside parallel.wire=bf16; the message names numbers that would work. */
gg_status gg_legality_summation(const struct gg_plan_request *request,
                                const struct gg_place *place) GG_MUST_USE;

#endif
