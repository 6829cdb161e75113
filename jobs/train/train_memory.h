/* The memory that a training run takes on a rank: the plan's, and what the process adds to it.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_MEMORY_H
#define GG_JOBS_TRAIN_TRAIN_MEMORY_H

#include "core/base/status.h"
#include "core/plan/plan.h"
#include "jobs/command/settings.h"
#include "jobs/train/train_data.h"

#include <stddef.h>

/* Bytes of one rank: of the plan, and what a process adds to it. */
struct gg_train_memory {
    size_t reached;             /* the most the process held until now */
    size_t program;             /* what it holds now: code, libraries, MPI */
    struct gg_plan_memory plan; /* the loader's of these shards */
};

/* The most the rank will hold: all the parts together, or what was reached before they are allocated. */
size_t gg_train_memory_total(const struct gg_train_memory *memory);

/* The memory of the rank that takes most. Collective over the world.
 *   library_bytes [in] what the matmul library takes beside its operands, on this rank */
void gg_train_memory_measure(const struct gg_world *world, const struct gg_plan *plan,
                             const struct gg_settings *settings, const struct gg_train_data *data,
                             size_t library_bytes, struct gg_train_memory *memory);

/* Compares the memory with the limits that are set to it (jobs/launch/memory_limit.h), before any of it is
 * allocated. GG_RESOURCE. Collective; fails alike on every rank. */
gg_status gg_train_memory_check_limits(const struct gg_world *world, const struct gg_graph *graph,
                                       const struct gg_train_memory *memory) GG_MUST_USE;

#endif
