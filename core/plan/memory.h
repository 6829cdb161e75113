/* The memory of a rank, by part, without making anything: what each part's owner will allocate, to the byte.
 * All local and pure.
 */
#ifndef GG_CORE_PLAN_MEMORY_H
#define GG_CORE_PLAN_MEMORY_H

#include "core/model/graph.h"
#include "core/plan/partition.h"

#include <stddef.h>
#include <stdint.h>

/* Buckets of gradients that are being summed at once. */
enum { GG_BUCKETS_IN_FLIGHT = 4 };

/* Parts of buckets that replicas send each other: what the sum of gradients holds on its way. */
size_t gg_buckets_in_flight_bytes(const struct gg_partition *partition);

/* What PBLAS's products hold on to in bf16, once every one was called: it takes its operands as fp32. 0 in
 * fp32 and on a 1x1 grid. */
size_t gg_widened_bytes(const struct gg_graph *graph, int64_t local_tokens);

#endif
