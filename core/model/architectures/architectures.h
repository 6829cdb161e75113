/* The pages: each writes one architecture's forward pass with the calls of builder.h. What model.* lets one choose
 * (norm, activation, positions, attention's reach ...) is a choice within a page; the pages differ in the order of
 * their parts and in the maps that they have.
 */
#ifndef GG_CORE_MODEL_ARCHITECTURES_H
#define GG_CORE_MODEL_ARCHITECTURES_H

#include "core/model/builder.h"

/* Norms behind the sums (Radford et al. 2018). */
void gg_architecture_gpt1(struct gg_builder *builder);

/* Norms before the parts (Radford et al. 2019; Brown et al. 2020). */
void gg_architecture_gpt2(struct gg_builder *builder);

/* Queries, keys and values by maps of their own (Touvron et al. 2023). */
void gg_architecture_llama(struct gg_builder *builder);

/* The parts of GPT-1's and GPT-2's blocks, (B T, width) to (B T, width).
 *   deviation [in] of the initial weights of the map that ends the part */
int gg_gpt_attention(struct gg_builder *builder, int h, int64_t layer, double deviation);
int gg_gpt_mlp(struct gg_builder *builder, int h, double deviation);

/* Initial weights come from N(0, gg_initial_deviation); those of maps that end on a stream which no norm brings
 * back start smaller, by the root of how many there are, so that its variance does not grow with depth (Radford et
 * al. 2019, section 2.3). */
extern const double gg_initial_deviation;
double gg_residual_deviation(const struct gg_model_config *config);

#endif
