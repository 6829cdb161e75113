/* Which activations are kept for the backward pass, and which are recomputed in it (Chen et al. 2016;
 * Korthikanti et al. 2022, section 5).
 */
#ifndef GG_CORE_MODEL_RECOMPUTE_INTERNAL_H
#define GG_CORE_MODEL_RECOMPUTE_INTERNAL_H

#include "core/model/graph.h"
#include "core/model/model_types.h"

#include <stdbool.h>

struct gg_recompute_plan {
    int *region;       /* of each module: what is recomputed together; -1: none, what it makes is kept */
    bool *lost;        /* tensors that are not kept */
    bool *remade;      /* of them: those that their module's own backward pass recomputes */
    bool *rerun;       /* modules that are recomputed before their region's first backward step in need */
    bool *region_done; /* for the schedule: the region is recomputed; by block */
};

/* Works it out; nothing is lost but in training. Owned by the caller. */
struct gg_recompute_plan gg_recompute_make(const struct gg_graph *graph, enum gg_model_use use);
void gg_recompute_free(struct gg_recompute_plan *plan);

/* Whether a backward piece needs values of the forward pass that its region must recompute first. */
bool gg_recompute_needed(const struct gg_recompute_plan *plan, const struct gg_graph *graph, int module,
                         unsigned does);

#endif
