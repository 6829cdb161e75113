/* What follows from a graph: its products, its parameters, its FLOPs. Local.
 */
#ifndef GG_CORE_MODEL_GRAPH_FIGURES_H
#define GG_CORE_MODEL_GRAPH_FIGURES_H

#include "core/model/graph.h"

/* The products of the model, in the order of the forward pass: one for each linear map and the head.
 *   index  [in]  from 0
 *   name   [out] of its weight
 * Returns NULL after the last. */
const struct gg_linear *gg_graph_linear(const struct gg_graph *graph, int index, const char **name);

/* How many of a rank's `local_tokens` rows of logits stand in memory at once. */
int64_t gg_head_tokens(const struct gg_graph *graph, int64_t local_tokens);

/* Parameters of the whole model, padding excluded. */
int64_t gg_graph_parameter_count(const struct gg_graph *graph);

/* Of them, those that are trained. */
int64_t gg_graph_trained_count(const struct gg_graph *graph);

/* Floating-point operations per trained token: 6 (matmul weights, head included) + attention's, whose two
 * products forward and four backward are counted as the causal mask has them, 6 C T a layer. Gradients that nobody
 * wants, of frozen weights and of what stands before all that is trained, are left out. What is recomputed does not
 * count twice. */
double gg_graph_flops_per_token(const struct gg_graph *graph);

#endif
