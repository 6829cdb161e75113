/* Adapters of low rank (core/model/lora_settings.h) out of a checkpoint that holds them alone, added to the weights
 * that they were trained beside. All local.
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

/* Whether a checkpoint's tensors are adapters of a model's maps, an A and a B for each map that has them.
 *   table [in] of the model without adapters
 * GG_BAD_DATA names the file and the tensor. */
gg_status gg_adapters_check(const struct gg_adapters *adapters,
                            const struct gg_parameter_table *table) GG_MUST_USE;

/* W += (alpha / rank) A B, on a rank's part of a tensor; nothing where that has no adapters. Reads A and B whole, and
 * verifies them.
 *   table     [in]     of the model without adapters
 *   parameter [in]     of the table
 *   part      [in,out] its weights (local_rows, local_columns)
 * GG_BAD_DATA, GG_STORAGE, GG_RESOURCE: as gg_checkpoint_load_tensor. */
gg_status gg_adapters_add(const struct gg_adapters *adapters, const struct gg_parameter_table *table,
                          const struct gg_parameter *parameter, float *part) GG_MUST_USE;

#endif
