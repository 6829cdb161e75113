/* What Hugging Face calls the tensors of a model, and how they stand there: our names are theirs already
 * (core/model/architectures/), but a file may have been saved without the model's prefix ("transformer.",
 * "model."), and torch's Linear has (out, in) where ours are (in, out). All local.
 */
#ifndef GG_IO_HUGGINGFACE_HUGGINGFACE_NAMES_H
#define GG_IO_HUGGINGFACE_HUGGINGFACE_NAMES_H

#include "core/model/parameters.h"
#include "io/huggingface/safetensors.h"

/* Whether a model's linear maps have the names and the shapes of Llama's, (out, in). */
bool gg_huggingface_is_linear(const struct gg_parameter_table *table);

/* Whether a tensor is transposed on its way. */
bool gg_huggingface_transposed(const struct gg_parameter_table *table, const struct gg_parameter *parameter);

/* Finds the tensors of a model among those of a folder, and checks their shapes and types.
 *   tensors [out] one for each of the table's, caller's; point into the set
 * A copy of a tied head is let pass here, and told of; so are buffers that are no weights, by their exact
 * names.
 *   head [out] that copy, or NULL
 * GG_BAD_DATA: one is missing, of another shape, of a type that cannot be read, or one too many; the message
 * names the tensor and its file. */
gg_status gg_huggingface_match(const struct gg_parameter_table *table, const struct gg_safetensors *set,
                               const struct gg_safetensors_tensor **tensors,
                               const struct gg_safetensors_tensor **head) GG_MUST_USE;

#endif
