/* What training keeps between steps beside the model's activations, in one arena: the flat buffers of the
 * parameter table, the optimizer's states, and a micro-batch. Laid out by one function, on a measuring arena
 * for the plan and on a real one for the run. Local.
 */
#ifndef GG_CORE_PLAN_STATE_H
#define GG_CORE_PLAN_STATE_H

#include "core/base/arena.h"
#include "core/data/micro_batch.h"
#include "core/model/graph.h"
#include "core/optim/optimizer.h"
#include "core/plan/plan_request.h"
#include "core/plan/summation.h"

struct gg_state {
    float *weights, *gradients; /* (local_elements), (trained_elements) */
    float
        *played[GG_SUMMATION_MOST_LEVELS]; /* (trained_elements) each, for gg_gradient_tree; the rest NULL */
    float *optimizer[GG_OPTIMIZER_MOST_STATES]; /* (owned_elements) each: compact with ZeRO (partition.h) */
    float *replicated;                          /* scratch for the sum over token shards; NULL without them */
    struct gg_micro_batch batch;                /* (batch.micro, context) */
};

/*   summation      [in] of the gradients (gg_plan)
 *   owned_elements [in] of a flat buffer, that this replica updates (gg_plan) */
void gg_state_lay_out(const struct gg_plan_request *request, const struct gg_graph *graph,
                      const struct gg_summation *summation, int64_t owned_elements, struct gg_arena *arena,
                      struct gg_state *state);

/* Bytes of the arena. */
size_t gg_state_bytes(const struct gg_plan_request *request, const struct gg_graph *graph,
                      const struct gg_summation *summation, int64_t owned_elements);

#endif
