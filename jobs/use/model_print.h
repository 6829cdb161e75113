/* The model of a checkpoint in words, from the settings that the checkpoint keeps.
 */
#ifndef GG_JOBS_USE_MODEL_PRINT_H
#define GG_JOBS_USE_MODEL_PRINT_H

#include "io/checkpoint/checkpoint.h"

/* Prints its sizes and the settings that are not the defaults, one a line; a gg_checkpoint_print_model. Local.
 */
void gg_model_print(const struct gg_checkpoint_meta *meta, int64_t parameters, FILE *out);

#endif
