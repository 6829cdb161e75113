/* A model's state without a model: weights and optimizer states of the settings' model on their grid, for
 * measuring checkpoints.
 */
#ifndef GG_JOBS_BENCH_CHECKPOINT_STATE_H
#define GG_JOBS_BENCH_CHECKPOINT_STATE_H

#include "io/checkpoint/checkpoint_writer.h"
#include "jobs/replica/replica.h"

struct gg_checkpoint_state {
    struct gg_replica replica;         /* shaped, not opened */
    struct gg_parameter_table trained; /* what is written */
    struct gg_range *ranges;
    void *memory;
    struct gg_checkpoint_share share; /* what this rank writes */
};

/* Makes it; `state` is zeroed memory, free it after a failure too. The optimizer's states are compact
 * with parallel.zero. Collective over the world, fails alike on every rank. GG_USAGE, GG_RESOURCE. */
gg_status gg_checkpoint_state_make(const struct gg_world *world, const struct gg_settings *settings,
                                   int64_t vocab, struct gg_checkpoint_state *state) GG_MUST_USE;

/* After reading: all-gathers what the replicas have read of flat buffers. Collective. */
void gg_checkpoint_state_all_gather(struct gg_checkpoint_state *state);

/* Collective. */
void gg_checkpoint_state_free(struct gg_checkpoint_state *state);

#endif
