/* What settings or a preset say of a model, before anything is trained.
 */
#ifndef GG_JOBS_USE_MODEL_SHOW_H
#define GG_JOBS_USE_MODEL_SHOW_H

#include "jobs/command/settings.h"

/* Prints shape, parameters, FLOPs, and the memory of a rank, to standard output. Local.
 *   ranks   [in] how many; 0: one replica's
 *   tensors [in] list all tensors
 * Fails as gg_plan_show. */
gg_status gg_model_show(const struct gg_settings *settings, int ranks, bool tensors) GG_MUST_USE;

/* Prints a table of all presets, as docs/presets.md has it. Local. */
gg_status gg_model_show_presets(void) GG_MUST_USE;

#endif
