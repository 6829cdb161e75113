/* A Hugging Face folder into a checkpoint of weights, a tensor at a time. All local.
 */
#ifndef GG_IO_HUGGINGFACE_HUGGINGFACE_IMPORT_H
#define GG_IO_HUGGINGFACE_HUGGINGFACE_IMPORT_H

#include "core/model/model_settings.h"
#include "core/model/parameters.h"
#include "io/checkpoint/checkpoint.h"

/* Reads FOLDER/config.json.
 *   settings [out] as gg_huggingface_config_read
 * GG_BAD_DATA naming the file and the key; GG_STORAGE, GG_RESOURCE. */
gg_status gg_huggingface_import_settings(const char *folder, struct gg_model_settings *settings) GG_MUST_USE;

/* Writes the weights of the folder's safetensors into a checkpoint. Everything that can be known beforehand is
 * checked before the file is made; a failure leaves nothing behind. Memory: one tensor at most.
 *   table [in] of the model that config.json describes, on a grid of one rank
 *   meta  [in] the checkpoint's counts and texts
 * GG_BAD_DATA: as gg_safetensors_open and gg_huggingface_match, and a copy of a tied head that differs from the
 * embedding. GG_STORAGE, GG_RESOURCE. */
gg_status gg_huggingface_import_weights(const char *folder, const struct gg_parameter_table *table,
                                        const struct gg_checkpoint_meta *meta, const char *path) GG_MUST_USE;

#endif
