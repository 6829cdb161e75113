/* A layout of ranks, opened once: the grid that holds a replica of the model, the model's graph and plan on it, and
 * what train, bench, evaluate and generate then need of memory. Opened in parts, so that what is wrong is found before
 * anything large is allocated, and so that each user takes what it needs:
 *
 *   gg_replica_place      legality, communicators
 *   gg_replica_shape      the graph and the plan, once the vocabulary is known
 *   gg_replica_open_grid  the fabric
 *   gg_replica_open_weights | gg_replica_open_training
 *
 * Everything is collective over the world, with the same arguments, and fails alike on every rank. `replica` is
 * zeroed memory before the first; gg_replica_close after a failure too.
 */
#ifndef GG_JOBS_REPLICA_REPLICA_H
#define GG_JOBS_REPLICA_REPLICA_H

#include "core/model/model.h"
#include "core/optim/gradient_tree.h"
#include "core/plan/plan.h"
#include "core/plan/state.h"
#include "jobs/command/settings.h"
#include "mpi/grid/grid.h"
#include "mpi/reduce/reduction.h"
#include "mpi/world/topology.h"
#include "mpi/world/world.h"

#include <sched.h>

/* What the seconds of a step go to; names in gg_phase_names. */
enum gg_phase {
    GG_PHASE_DATA, /* waiting for the loader */
    GG_PHASE_FORWARD,
    GG_PHASE_BACKWARD, /* the reduction's calls excluded */
    GG_PHASE_REDUCE,   /* what is visible of it: its calls in the backward pass, and waiting at the end */
    GG_PHASE_OPTIMIZER,
    GG_STEP_PHASES
};

struct gg_replica {
    const struct gg_world *world;
    const struct gg_settings *settings; /* resolved */
    struct gg_topology topology;
    struct gg_graph graph;
    struct gg_plan plan;
    bool copies; /* of checkpoints, as planned */
    gg_grid *grid;
    struct gg_fabric fabric; /* the grid's */

    struct gg_arena arena; /* holds the state */
    struct gg_state state; /* opened for weights alone: only those */
    gg_model *model;       /* opened for training */
    gg_reducer *reducer;
    struct gg_gradient_tree tree; /* of the virtual replicas that this one plays */
    struct gg_optimizer optimizer;
    int64_t updates;                /* of the weights, so far: the optimizer's t */
    double seconds[GG_STEP_PHASES]; /* spent in steps; set to zero by whoever reads them */
    struct gg_model_times kernels;  /* likewise */
};

/* Checks the grid, and splits the world. GG_USAGE: parallel.grid does not work on so many ranks. */
gg_status gg_replica_place(const struct gg_world *world, const struct gg_settings *settings,
                           struct gg_replica *replica) GG_MUST_USE;

/* The model's graph on this rank, and the plan of a training run.
 *   vocab     [in] the tokenizer's
 *   precision [in] that the ranks agreed on
 *   copies    [in] whether checkpoints are copied and written behind the training
 * GG_USAGE: model.vocab is too small. */
gg_status gg_replica_shape(struct gg_replica *replica, int64_t vocab, enum gg_precision precision,
                           bool copies) GG_MUST_USE;

/* Plans anew, for going on with a run of so many virtual replicas (gg_plan; 0: none). Before anything is opened by the
 * plan. Local. */
void gg_replica_plan(struct gg_replica *replica, int reproducible);

/* Whether this rank is the one of its replica that reads data for all of them. */
bool gg_replica_reads(const struct gg_replica *replica);

/* Rows [first, first + rows) of a micro-batch, as the model takes them.
 *   marks [in] of all its rows, which need not be the micro-batch's own */
struct gg_batch gg_replica_batch(const struct gg_replica *replica, const struct gg_micro_batch *all,
                                 const struct gg_marks *marks, int64_t first, int64_t rows);

gg_status gg_replica_open_grid(struct gg_replica *replica) GG_MUST_USE;

/* The grid, and room for the weights. GG_RESOURCE. */
gg_status gg_replica_open_weights(struct gg_replica *replica) GG_MUST_USE;

/* The grid, state, model and the sum of gradients. The weights are zero.
 *   thread       [in] a thread drives the sum of the gradients on
 *   thread_cores [in] where it may run
 * GG_RESOURCE. */
gg_status gg_replica_open_training(struct gg_replica *replica, bool thread,
                                   const cpu_set_t *thread_cores) GG_MUST_USE;

/* What messages call the memory of the weights and all that stands beside them. */
#define GG_REPLICA_STATE_NAME "weights, gradients and optimizer state"

void gg_replica_close(struct gg_replica *replica);

#endif
