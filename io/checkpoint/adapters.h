/* Adapters of low rank (core/model/lora_settings.h) out of a checkpoint that holds them alone, added to the weights
 * that they were trained beside. Tensors that were trained whole beside them, as a head of classes is, take the place
 * of the model's. All local.
 */
#ifndef GG_IO_CHECKPOINT_ADAPTERS_H
#define GG_IO_CHECKPOINT_ADAPTERS_H

#include "core/model/lora_settings.h"
#include "io/checkpoint/checkpoint.h"

struct gg_adapters {
    const char *path; /* of their checkpoint */
    const struct gg_checkpoint_contents *contents;
    struct gg_lora_settings settings; /* resolved; its targets are not looked at */
};

/* Whether a checkpoint's tensors are adapters of a model's maps, an A and a B for each map that has them, or tensors
 * of the model.
 *   table [in] of the model without adapters
 * GG_BAD_DATA names the file and the tensor. */
gg_status gg_adapters_check(const struct gg_adapters *adapters,
                            const struct gg_parameter_table *table) GG_MUST_USE;

/* The tensors of a table that come from the other checkpoint, where they stand in its flat buffers: all but those that
 * the adapters' has whole and the other one has not.
 *   base [in]  what that holds
 *   part [out] free with gg_parameter_table_free */
void gg_adapters_base_table(const struct gg_adapters *adapters, const struct gg_checkpoint_contents *base,
                            const struct gg_parameter_table *table, struct gg_parameter_table *part);

/* W += (alpha / rank) A B, on a rank's part of a tensor; or W, where the adapters' checkpoint holds that whole; nothing
 * else. Reads A and B whole, and verifies them.
 *   table     [in]     of the model without adapters
 *   parameter [in]     of the table
 *   part      [in,out] its weights (local_rows, local_columns)
 * GG_BAD_DATA, GG_STORAGE, GG_RESOURCE: as gg_checkpoint_load_tensor. */
gg_status gg_adapters_add(const struct gg_adapters *adapters, const struct gg_parameter_table *table,
                          const struct gg_parameter *parameter, float *part) GG_MUST_USE;

/* A checkpoint's weights, merged with adapters where there are some: what an export takes. */
struct gg_merged_weights {
    const char *path; /* of the checkpoint */
    const struct gg_checkpoint_contents *contents;
    const struct gg_adapters *adapters; /* NULL: none */
};

/* As gg_checkpoint_check_tensors, for the tensors that come from the checkpoint. */
gg_status gg_merged_weights_check(const struct gg_merged_weights *weights,
                                  const struct gg_parameter_table *table) GG_MUST_USE;

/* As gg_checkpoint_load_tensor, of a tensor of the whole model.
 *   table [in] of the model on a grid of one rank */
gg_status gg_merged_weights_load(const struct gg_merged_weights *weights,
                                 const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                                 float *values) GG_MUST_USE;

#endif
