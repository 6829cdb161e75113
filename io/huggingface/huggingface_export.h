/* A checkpoint's weights as a folder that Hugging Face's transformers loads. All local.
 */
#ifndef GG_IO_HUGGINGFACE_HUGGINGFACE_EXPORT_H
#define GG_IO_HUGGINGFACE_HUGGINGFACE_EXPORT_H

#include "core/model/model_settings.h"
#include "core/model/parameters.h"
#include "core/text/chat_settings.h"
#include "io/checkpoint/adapters.h"
#include "io/checkpoint/checkpoint.h"
#include "io/huggingface/safetensors.h"

struct gg_huggingface_export {
    const char *path; /* of the checkpoint */
    const struct gg_checkpoint_contents *contents;
    const struct gg_adapters *adapters;       /* merged into its weights; NULL: none */
    const struct gg_model_settings *settings; /* resolved, model.vocab set */
    const struct gg_chat_settings *chat;
    const struct gg_parameter_table *table; /* of the model, on a grid of one rank */
    enum gg_safetensors_type type;          /* GG_SAFETENSORS_F32 or GG_SAFETENSORS_BF16 */
    int64_t shard_bytes;                    /* of values in one file, at most, but for one tensor alone */
};

/* Writes config.json, model.safetensors or shards with their index, and the tokenizer when the checkpoint has
 * one. The folder has its name when it is whole; one that is there must be empty. Memory: one tensor.
 * GG_USAGE: transformers has no architecture for the model (gg_huggingface_config_write), or the folder is not
 * empty. GG_BAD_DATA: the checkpoint is damaged or not of the table's model. GG_STORAGE, GG_RESOURCE. */
gg_status gg_huggingface_export(const struct gg_huggingface_export *export, const char *folder) GG_MUST_USE;

#endif
