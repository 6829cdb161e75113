/* Adapters as Hugging Face's PEFT loads them: adapter_config.json and adapter_model.safetensors. All local.
 */
#ifndef GG_IO_HUGGINGFACE_PEFT_EXPORT_H
#define GG_IO_HUGGINGFACE_PEFT_EXPORT_H

#include "io/checkpoint/adapters.h"
#include "io/huggingface/safetensors.h"

/* Writes the folder, which has its name when it is whole; one that is there must be empty.
 *   adapters [in] checked, with their targets
 *   table    [in] of the model without adapters, on a grid of one rank
 *   type     [in] GG_SAFETENSORS_F32 or GG_SAFETENSORS_BF16
 * GG_USAGE: the folder is not empty. GG_BAD_DATA, GG_STORAGE, GG_RESOURCE. */
gg_status gg_peft_export(const struct gg_adapters *adapters, const struct gg_parameter_table *table,
                         enum gg_safetensors_type type, const char *folder) GG_MUST_USE;

#endif
