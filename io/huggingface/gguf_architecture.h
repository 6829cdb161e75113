/* What llama.cpp calls a model and its parts: gpt2, llama or qwen3, each a graph of its own there. Local.
 */
#ifndef GG_IO_HUGGINGFACE_GGUF_ARCHITECTURE_H
#define GG_IO_HUGGINGFACE_GGUF_ARCHITECTURE_H

#include "core/model/model_settings.h"
#include "core/model/parameters.h"
#include "io/huggingface/gguf_writer.h"

struct gg_gguf_architecture {
    const char *name;
    bool
        paired_heads; /* rotary positions turn neighbouring features there, and features half a head apart here:
                          the columns of the maps to queries and keys are reordered */
};

/* The architecture whose graph computes what the model does.
 *   settings [in] resolved
 *   table    [in] of the model
 * GG_USAGE: there is none; the message names the setting that stands in the way. */
gg_status gg_gguf_architecture(const struct gg_model_settings *settings,
                               const struct gg_parameter_table *table,
                               struct gg_gguf_architecture *architecture) GG_MUST_USE;

/* Puts the keys that describe the model; model.vocab is set. */
void gg_gguf_put_model(gg_gguf_writer *writer, const struct gg_gguf_architecture *architecture,
                       const struct gg_model_settings *settings);

enum { GG_GGUF_NAME_BYTES = 64 };

/* A tensor's name there. Any tensor of a model that has an architecture has one. */
void gg_gguf_tensor_name(const char *name, char theirs[GG_GGUF_NAME_BYTES]);

/* In which column of ours a row of theirs stands, of a map to queries or keys with paired heads: both count from the
 * head's beginning. */
int64_t gg_gguf_paired_column(int64_t row, int64_t head_size);

#endif
