/* The steps of a model's forward and backward pass, and the memory that they need, worked out from a graph
 * for one use of it: which modules run together, which activations are kept and which recomputed, where each
 * gradient is assigned, added to or shared, and where each tensor stands.
 */
#ifndef GG_CORE_MODEL_STEP_LIST_INTERNAL_H
#define GG_CORE_MODEL_STEP_LIST_INTERNAL_H

#include "core/model/graph.h"
#include "core/model/lifetimes_internal.h"
#include "core/model/module_internal.h"

/* A step's tensors, as indices of buffers; -1: none. */
struct gg_slots {
    int x[GG_MODULE_INPUTS], y, saved, scratch, state, d_x[GG_MODULE_INPUTS], d_y;
};

struct gg_step_list {
    struct gg_step *items;  /* forward, the head last; then backward */
    struct gg_slots *slots; /* of each step */
    int forward_count, count, capacity;
    struct gg_buffer_list buffers;
    int rounded; /* buffer of the weights' bf16 copy; -1: none */
};

/* Makes the schedule of a graph. Owned by the caller; the graph must outlive it. Local.
 *   local_sequences [in] this rank's sequences of a micro-batch at most */
struct gg_step_list *gg_step_list_make(const struct gg_graph *graph, enum gg_model_use use,
                                       int64_t local_sequences);
void gg_step_list_free(struct gg_step_list **steps);

/* Lets the steps' tensors stand in `memory` (steps->buffers.bytes). */
void gg_step_list_place(struct gg_step_list *steps, char *memory);

#endif
