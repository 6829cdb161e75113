/* The builder as modules use it: their parameters, tensors and themselves.
 */
#ifndef GG_CORE_MODEL_BUILDER_INTERNAL_H
#define GG_CORE_MODEL_BUILDER_INTERNAL_H

#include "core/model/builder.h"

/* A builder of an empty graph. */
struct gg_builder *gg_builder_create(struct gg_graph *graph);
void gg_builder_destroy(struct gg_builder **builder);

/* Parameters; return the index in the table.
 * A matrix maps in -> out; its columns are dealt out over P in blocks of column_block. */
int gg_build_matrix(struct gg_builder *builder, const char *name, int64_t in, int64_t out,
                    int64_t column_block, double deviation);
/* Likewise, with more rows and columns in memory than it has. */
int gg_build_padded_matrix(struct gg_builder *builder, const char *name, int64_t in, int64_t out,
                           int64_t padded_in, int64_t padded_out, int64_t column_block,
                           enum gg_initial initial, double deviation);
int gg_build_vector(struct gg_builder *builder, const char *name, int64_t width, int64_t column_block,
                    enum gg_initial initial);
/* Rows of `width`, split over Q.
 *   padded_rows [in] rows in memory, over all token shards */
int gg_build_embedding_table(struct gg_builder *builder, const char *name, int64_t rows, int64_t padded_rows,
                             int64_t width);

/* Has a parameter trained though the model around it may be frozen. */
void gg_build_trained(struct gg_builder *builder, int parameter);

/* A module of `bytes`, its base filled in, with a tensor of its own to make.
 *   features, block [in] of the output; features 0: none */
void *gg_build_module(struct gg_builder *builder, const struct gg_module_kind *kind, size_t bytes,
                      int64_t features, int64_t block);
void gg_build_input(struct gg_builder *builder, struct gg_module *module, int tensor);
const struct gg_tensor *gg_build_tensor(const struct gg_builder *builder, int tensor);
const struct gg_shards *gg_build_shards(const struct gg_builder *builder);
uint32_t gg_build_site(struct gg_builder *builder);
/* The index of the first module of a kind, of which there is one. */
int gg_build_first(const struct gg_builder *builder, const struct gg_module_kind *kind);
int gg_build_find(const struct gg_builder *builder, const char *name);

/* Whether the map whose prefix this is gets adapters (finetune.lora). */
bool gg_build_is_target(const struct gg_builder *builder);

/* Adapters of a map from x to y, under the prefix as it stands; returns the tensor that takes y's place. */
int gg_build_adapter(struct gg_builder *builder, int x, int y);

#endif
