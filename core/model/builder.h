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

/* Token embedding plus positions, as model.positions has them, with dropout: (tokens, width).
 *   position_weight [in] name of learned positions */
int gg_build_embedding(struct gg_builder *builder, const char *token_weight, const char *position_weight);

/* Normalisation over features, as model.norm has it. */
int gg_build_norm(struct gg_builder *builder, const char *name, int x);

/* A linear map, with a bias where model.biases has them: y = x W + b.
 *   out       [in] features of y
 *   parts     [in] y is so many tensors side by side (queries, keys and values: 3); every feature shard gets
 *                  its share of each
 *   deviation [in] of the initial weights */
int gg_build_linear(struct gg_builder *builder, const char *name, int x, int64_t out, int parts,
                    double deviation);

/* RMSNorm of each head's features, with one gain for all heads. */
int gg_build_head_norm(struct gg_builder *builder, const char *name, int x);

/* Rotary positions: the features of each head are turned by their token's position. */
int gg_build_rotary(struct gg_builder *builder, int x);

/* Causal multi-head attention with dropout of the probabilities. In a layer with a window a query sees the last
 * so many keys.
 *   qkv     [in] queries, keys and values side by side; or
 *   q, k, v [in] apart: keys and values of model.kv_heads heads */
int gg_build_fused_attention(struct gg_builder *builder, int qkv, int64_t layer);
int gg_build_attention(struct gg_builder *builder, int q, int k, int v, int64_t layer);

/* model.activation: GELU or ReLU, element by element. */
int gg_build_activation(struct gg_builder *builder, int x);

/* silu(gate) up. */
int gg_build_swiglu(struct gg_builder *builder, int gate, int up);

/* stream + dropout(branch). */
int gg_build_residual(struct gg_builder *builder, int stream, int branch);

/* The model's end: logits = x E^T with the token embedding's weight E, or where model.tied is false with
 * "lm_head.weight", as large; loss. A model of classes has, before that or in its place, logits of the classes by
 * "score.weight" (classes, width); loss. */
void gg_build_head(struct gg_builder *builder, const char *token_weight, int x);

#endif
