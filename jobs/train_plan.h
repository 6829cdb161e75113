/* How a run is laid out: what its settings come to on these ranks, and the memory it will take.
 */
#ifndef GG_JOBS_TRAIN_PLAN_H
#define GG_JOBS_TRAIN_PLAN_H

#include "core/base/settings.h"
#include "core/base/status.h"
#include "core/plan/plan.h"
#include "jobs/train_data.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of one rank: of the plan, and what a process adds to it. */
struct gg_train_memory {
    size_t reached; /* the most the process held until now */
    size_t program; /* what it holds now: code, libraries, MPI */
    struct gg_plan_memory plan;
    size_t loader;
};

/* The most the rank will hold: all the parts together, or what was reached before they are allocated. */
size_t gg_train_memory_total(const struct gg_train_memory *memory);

/* The memory of the rank that takes most. Collective over the world. */
void gg_train_memory_measure(const struct gg_world *world, const struct gg_plan *plan,
                             const struct gg_settings *settings, const struct gg_train_data *data,
                             struct gg_train_memory *memory);

/* Bytes the process holds now, and the most it ever held. Local. */
size_t gg_memory_resident(void);
size_t gg_memory_peak(void);

#endif
