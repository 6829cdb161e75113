/* How a run is laid out, for any rank of any layout: what its settings come to, and the memory it will take.
 * Needs no ranks and allocates nothing of it. Local and pure.
 */
#ifndef GG_CORE_PLAN_PLAN_H
#define GG_CORE_PLAN_PLAN_H

#include "core/model/graph.h"
#include "core/plan/partition.h"
#include "core/plan/place.h"
#include "core/plan/plan_request.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of one rank. */
struct gg_plan_memory {
    size_t weights, gradients;
    size_t optimizer;   /* its states: of what this replica updates */
    size_t activations; /* and the scratch of all modules */
    size_t rounded;     /* the weights' bf16 copy */
    size_t products;    /* what a grid's matrix products hold beside their operands: at most */
    size_t exchange;    /* rows of the embedding between token shards: at most */
    size_t played;      /* gradients of virtual replicas that wait for others of this rank's */
    size_t reduction;  /* the sum of gradients over replicas: parts on their way; ZeRO: the owned sums; with a
                         * bf16 wire, what rounding leaves */
    size_t batch;      /* a micro-batch */
    size_t checkpoint; /* the copy that is written behind the training */
    size_t
        loader; /* of a rank that reads the data; 0 in a plan, and set by who knows the data or its bound */
    size_t evaluation; /* tasks, and the decoder that writes text amid the training; likewise */
};

/* The parts by their names in messages, and all of them together. */
struct gg_plan_part {
    const char *name;
    size_t bytes;
};
enum { GG_PLAN_PARTS = 13 };
void gg_plan_memory_parts(const struct gg_plan_memory *memory, struct gg_plan_part parts[GG_PLAN_PARTS]);
size_t gg_plan_memory_sum(const struct gg_plan_memory *memory);

struct gg_plan {
    struct gg_place place;
    int64_t accumulation;    /* micro-batches of a replica in a step */
    int64_t local_sequences; /* of a micro-batch, this rank's */
    int64_t tokens_per_step; /* of all replicas */
    bool marked;             /* micro-batches have marks (core/data/micro_batch.h) */
    bool scattered;          /* ZeRO 1 over more than one replica */
    int64_t owned_elements;  /* of what is trained, that this replica updates: length of an optimizer state */
    int reproducible;        /* the run's virtual replicas, kept in checkpoints; 0: none */
    bool reproduces; /* this layout plays them, so that its result is that of any other that does; else each
                         * replica is one */
    struct gg_partition partition; /* over replicas, of what is trained of a flat buffer */
    struct gg_plan_memory memory;
};

/* Makes the plan of a rank.
 *   graph  [in] of the place's shards
 *   place  [in] legal (core/plan/legality.h), the batch too
 *   copies [in] whether checkpoints are copied and written behind the training */
void gg_plan_make(const struct gg_plan_request *request, const struct gg_graph *graph,
                  const struct gg_place *place, bool copies, struct gg_plan *plan);

#endif
