/* How a run is laid out: what its settings come to on these ranks, and the memory it will take.
 */
#ifndef GG_JOBS_TRAIN_PLAN_H
#define GG_JOBS_TRAIN_PLAN_H

#include "core/base/settings.h"
#include "core/base/status.h"
#include "core/model/gpt.h"
#include "jobs/train_data.h"
#include "mpi/reduction.h"
#include "mpi/topology.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of one rank. */
struct gg_train_memory {
    size_t reached; /* the most the process held until now */
    size_t program; /* what it holds now: code, libraries, MPI */
    size_t weights, gradients, moments, activations, batch, loader;
    size_t rounded;    /* the weights' bf16 copy */
    size_t products;   /* buffers of matrix products: the library's, and a grid's */
    size_t reduction;  /* the sum of gradients over replicas: shares on their way; ZeRO: the owned sums */
    size_t checkpoint; /* the copy that is written behind the training */
};

/* The most the rank will hold: all the parts together, or what was reached before they are allocated. */
size_t gg_train_memory_total(const struct gg_train_memory *memory);

struct gg_train_plan {
    int64_t accumulation;    /* micro-batches of a replica in a step */
    int64_t local_sequences; /* of a micro-batch, this rank's */
    int64_t tokens_per_step; /* of all replicas */
    int64_t tokens_per_epoch;
    struct gg_ownership ownership; /* what this replica updates */
    struct gg_partition partition; /* how replicas share the writing of checkpoints */
    struct gg_train_memory memory;
};

/* Checks the batch against the ranks. Local, the same on every rank.
 * GG_USAGE: batch.sequences is no multiple of replicas x batch.micro; the message names numbers that are. */
gg_status gg_train_plan_batch(const struct gg_settings *settings, int replicas, int token_shards) GG_MUST_USE;

/* Fills in the plan; allocates nothing. Its memory is that of the rank that takes most. Collective over the
 * world; fails alike on every rank.
 *   library_bytes [in]  what the matmul library takes beside its operands, on this rank
 *   plan          [out] for a batch that gg_train_plan_batch accepted */
gg_status gg_train_plan_make(const struct gg_world *world, const struct gg_settings *settings,
                             const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                             const struct gg_parameter_table *table, const struct gg_topology *topology,
                             const struct gg_train_data *data, size_t library_bytes,
                             struct gg_train_plan *plan) GG_MUST_USE;

/* What messages call the memory of the weights and all that stands beside them. */
#define GG_TRAIN_STATE_NAME "weights, gradients and optimizer state"

/* Compares the plan's memory with the limits that are set to it (jobs/memory_limit.h), before any of it is
 * allocated. GG_RESOURCE. Collective; fails alike on every rank. */
gg_status gg_train_plan_check_limits(const struct gg_world *world, const struct gg_gpt_config *config,
                                     const struct gg_train_plan *plan) GG_MUST_USE;

/* Bytes the process holds now, and the most it ever held. Local. */
size_t gg_memory_resident(void);
size_t gg_memory_peak(void);

#endif
