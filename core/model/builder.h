/* What an architecture's page is written with: each call appends one module to the graph and gives the tensor
 * that the module makes. A page reads as the forward pass, top to bottom; the tensors' and parameters' names
 * are Hugging Face's. A page never fails: whether a grid fits the model was checked before
 * (core/plan/legality.h).
 */
#ifndef GG_CORE_MODEL_BUILDER_H
#define GG_CORE_MODEL_BUILDER_H

#include "core/model/graph.h"

struct gg_builder;

/* The numbers that the page is read with. */
const struct gg_model_config *gg_build_config(const struct gg_builder *builder);

/* Puts a prefix before the names that follow, and takes it away again; they nest. */
void gg_build_enter(struct gg_builder *builder, const char *format, ...) GG_PRINTF_LIKE(2, 3);
void gg_build_leave(struct gg_builder *builder);

/* A block, and its attention part: what compute.recompute speaks of. */
void gg_build_block_begin(struct gg_builder *builder);
void gg_build_block_end(struct gg_builder *builder);
void gg_build_attention_begin(struct gg_builder *builder);
void gg_build_attention_end(struct gg_builder *builder);

/* Token embedding plus learned positions, with dropout: (tokens, width). */
int gg_build_embedding(struct gg_builder *builder, const char *token_weight, const char *position_weight);

/* Layer normalisation with gain and bias. */
int gg_build_layer_norm(struct gg_builder *builder, const char *name, int x);

/* A linear map with a bias: y = x W + b.
 *   out       [in] features of y
 *   parts     [in] y is so many tensors side by side (queries, keys and values: 3); every feature shard gets
 *                  its share of each
 *   deviation [in] of the initial weights */
int gg_build_linear(struct gg_builder *builder, const char *name, int x, int64_t out, int parts,
                    double deviation);

/* Causal multi-head attention with dropout of the probabilities.
 *   qkv [in] queries, keys and values side by side */
int gg_build_attention(struct gg_builder *builder, int qkv, int64_t heads);

/* GELU, tanh approximation. */
int gg_build_gelu(struct gg_builder *builder, int x);

/* stream + dropout(branch). */
int gg_build_residual(struct gg_builder *builder, int stream, int branch);

/* The tied head, the model's end: logits = x E^T with the token embedding's weight E; loss. */
void gg_build_tied_head(struct gg_builder *builder, const char *token_weight, int x);

#endif
