/* The memory of a rank, by part, without making anything: what each part's owner will allocate, to the byte.
 * All local and pure.
 */
#ifndef GG_CORE_PLAN_PLAN_MEMORY_H
#define GG_CORE_PLAN_PLAN_MEMORY_H

#include "core/model/graph.h"
#include "core/plan/partition.h"

#include <stddef.h>
#include <stdint.h>

/* Buckets of gradients that are being summed at once. */
enum { GG_BUCKETS_IN_FLIGHT = 4 };

/* Parts of buckets that replicas send each other: what the sum of gradients holds on its way, at most in the round
 * that has most. In bf16 the same bytes hold what is received and what is sent. */
size_t gg_buckets_in_flight_bytes(const struct gg_partition *partition);

/* Floats that the sum of the vectors' gradients over token shards works in (mpi/reduce/replicated.h): the vectors,
 * which every shard adds up an equal part of, and as many shares of that part. */
int64_t gg_replicated_scratch(const struct gg_parameter_table *table, int token_shards);

/* What a grid's products take beside their operands and results, as far as the largest product needs them:
 * panels that PBLAS and BLACS send round, and in bf16 what is widened for PBLAS, which takes its operands as
 * fp32, and rounded again for a tile. 0 on a 1x1 grid.
 *   local_tokens [in] of a micro-batch
 *   block        [in] parallel.block */
size_t gg_product_bytes(const struct gg_graph *graph, int64_t local_tokens, int64_t block);

/* The most that token shards hold of rows of the embedding on their way to each other (mpi/grid/exchange.h): on
 * the one whose rows all tokens of all shards are; usually a few of these rows are sent to each. 0 where tokens
 * are not split.
 *   local_sequences [in] of a micro-batch, this rank's */
size_t gg_exchange_bytes(const struct gg_graph *graph, int64_t local_sequences);

#endif
