/* The pages: each writes one architecture's forward pass with the calls of builder.h.
 */
#ifndef GG_CORE_MODEL_ARCHITECTURES_H
#define GG_CORE_MODEL_ARCHITECTURES_H

#include "core/model/builder.h"

/* GPT-2 (Radford et al. 2019). */
void gg_architecture_gpt2(struct gg_builder *builder);

#endif
