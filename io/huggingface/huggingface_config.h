/* A Hugging Face config.json and the settings model.*, both ways: GPT-2, OpenAI-GPT (GPT-1), Llama, Mistral and
 * Qwen3. Keys that change what a model computes and that this program cannot follow are refused by name; what is
 * missing has the default of transformers' class. All local.
 */
#ifndef GG_IO_HUGGINGFACE_HUGGINGFACE_CONFIG_H
#define GG_IO_HUGGINGFACE_HUGGINGFACE_CONFIG_H

#include "core/model/model_settings.h"
#include "core/model/parameters.h"
#include "io/huggingface/safetensors.h"

#include <jansson.h>

/* Reads the settings that a config.json describes; model.preset is none, and each setting is in its range.
 *   settings [out] not yet resolved
 * GG_BAD_DATA: another architecture, a key that is missing, out of range, or stands for what we do not have;
 * the message names the key, not the file. */
gg_status gg_huggingface_config_read(const json_t *root, struct gg_model_settings *settings) GG_MUST_USE;

/* The config.json of a model.
 *   settings    [in]  resolved, model.vocab set
 *   table       [in]  of the model
 *   type        [in]  in which the weights stand
 *   end_of_text [in]  id of the tokenizer's <|endoftext|>; -1: no tokenizer
 *   root        [out] owned by the caller (json_decref)
 * GG_USAGE: transformers has no architecture for it; the message names the setting that stands in the way. */
gg_status gg_huggingface_config_write(const struct gg_model_settings *settings,
                                      const struct gg_parameter_table *table, enum gg_safetensors_type type,
                                      int64_t end_of_text, json_t **root) GG_MUST_USE;

#endif
