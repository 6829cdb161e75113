/* A checkpoint's weights as one GGUF file that llama.cpp loads. All local.
 */
#ifndef GG_IO_HUGGINGFACE_GGUF_EXPORT_H
#define GG_IO_HUGGINGFACE_GGUF_EXPORT_H

#include "core/model/model_settings.h"
#include "core/model/parameters.h"
#include "core/text/chat_settings.h"
#include "io/checkpoint/adapters.h"
#include "io/checkpoint/checkpoint.h"
#include "io/huggingface/gguf_values.h"

struct gg_gguf_export {
    const char *path; /* of the checkpoint */
    const struct gg_checkpoint_contents *contents;
    const struct gg_adapters *adapters;       /* merged into its weights; NULL: none */
    const struct gg_model_settings *settings; /* resolved, model.vocab set */
    const struct gg_chat_settings *chat;
    const struct gg_parameter_table *table; /* of the model, on a grid of one rank */
    enum gg_gguf_type
        type; /* of matrices; vectors and learned positions are F32, as llama.cpp's own programs have
                               them, and F16 takes the place of Q8_0 where 32 does not divide a row */
};

/* Writes the model, and the tokenizer when the checkpoint has one. The file has its name when it is whole. Memory:
 * one tensor. A tied head is not repeated.
 * GG_USAGE: llama.cpp has no graph for the model (gguf_architecture.h), or no name for the tokenizer's pattern.
 * GG_BAD_DATA: the checkpoint is damaged or not of the table's model, or has a number that the type cannot hold.
 * GG_STORAGE, GG_RESOURCE. */
gg_status gg_gguf_export(const struct gg_gguf_export *export, const char *file) GG_MUST_USE;

#endif
