/* The limits that are set to this job's memory, against what it is about to take: a run that cannot fit is
 * refused with the numbers before it allocates, and not ended in its middle by a library that gets no memory,
 * or by the kernel without a word.
 */
#ifndef GG_JOBS_LAUNCH_MEMORY_LIMIT_H
#define GG_JOBS_LAUNCH_MEMORY_LIMIT_H

#include "core/base/status.h"
#include "mpi/world/world.h"

#include <stddef.h>

/* Memory that a rank will allocate and use, in that order. */
struct gg_memory_part {
    const char *what; /* for the message: "the activations" */
    size_t bytes;
};

/* Compares what every rank holds now, and will hold with all parts together, with
 *   ulimit -v   its address space (VmSize): more than it uses, but that is what the limit counts;
 *   ulimit -d   its private writable memory (VmData);
 *   memory.max  of the control group it is in, and of those around: what is not a file's (RssAnon) of all
 *               ranks of the node that share the group.
 *
 * What libraries and threads will take besides is not counted: a run that is refused could not have fitted,
 * but for the few MB that the heap may hold free.
 *   cgroups [in] where the kernel shows control groups (version 2); NULL: /sys/fs/cgroup
 * GG_RESOURCE, with the first part that does not fit. Collective; fails alike on every rank. */
gg_status gg_memory_limit_check(const struct gg_world *world, const struct gg_memory_part *parts, int count,
                                const char *cgroups) GG_MUST_USE;

#endif
