/* The training loop.
 *
 * A trainer holds everything a run needs between its steps. Its parts have files of their own: train_data
 * (what is read), train_plan (how it is laid out), train_step (one optimizer step), train_checkpoint
 * (saving), train_resume (going on), train_report (what the user sees).
 */
#ifndef GG_JOBS_TRAIN_TRAINER_H
#define GG_JOBS_TRAIN_TRAINER_H

#include "core/base/arena.h"
#include "core/model/model.h"
#include "core/plan/state.h"
#include "io/checkpoint/checkpoint_writer.h"
#include "io/run/metrics.h"
#include "jobs/command/settings.h"
#include "jobs/launch/gemm_rate.h"
#include "jobs/launch/launch_check.h"
#include "jobs/launch/progress.h"
#include "jobs/launch/time_limit.h"
#include "jobs/train/train_data.h"
#include "jobs/train/train_plan.h"
#include "mpi/grid/grid.h"
#include "mpi/reduce/reduction.h"
#include "mpi/world/topology.h"
#include "mpi/world/world.h"

/* What the seconds of a step go to; names in gg_phase_names. */
enum gg_phase {
    GG_PHASE_DATA, /* waiting for the loader */
    GG_PHASE_FORWARD,
    GG_PHASE_BACKWARD, /* the reduction's calls excluded */
    GG_PHASE_REDUCE,   /* what is visible of it: its calls in the backward pass, and waiting at the end */
    GG_PHASE_OPTIMIZER,
    GG_PHASE_EVAL,
    GG_PHASE_CHECKPOINT,
    GG_PHASES
};
extern const char *const gg_phase_names[GG_PHASES];

/* A run keeps a folder, goes on from its checkpoint and reports each step; a bench only steps. */
enum gg_trainer_use { GG_TRAINER_RUN, GG_TRAINER_BENCH };

struct gg_trainer {
    enum gg_trainer_use use;
    const struct gg_world *world;
    const struct gg_settings *settings; /* resolved */
    struct gg_topology topology;
    struct gg_train_data data;
    struct gg_graph graph;
    struct gg_fabric fabric; /* the grid's */
    gg_grid *grid;
    struct gg_plan plan;
    int64_t tokens_per_epoch;
    struct gg_train_memory memory;

    struct gg_arena arena; /* holds the next */
    struct gg_state state;
    gg_model *gpt;
    gg_reducer *reducer;
    bool reduction_thread; /* a thread drives the sum of the gradients on; else calls between kernels do */
    struct gg_launch_cores cores;

    /* Where the run stands, as a checkpoint keeps it; the texts in it are not used. */
    struct gg_checkpoint_meta at;
    struct gg_train_resume {
        char *path;   /* the checkpoint that the run goes on from; NULL: none */
        int64_t step; /* where this run began, and the seconds that earlier ones had trained */
        double seconds;
        char *changed; /* rank 0: "optim.lr 0.001 (was 0.002), ...": settings that differ; NULL: none */
        struct gg_rejected_checkpoint {
            char *path;
            const char *ending; /* of the name that it gets: "damaged" */
        } * rejected;           /* rank 0: checkpoints that could not be used */
        int rejected_count;
        bool locked; /* rank 0 has the run folder's lock */
        int lock;
    } resume;
    struct gg_range *ranges;          /* what this rank writes of checkpoints */
    struct gg_checkpoint_share share; /* that, with the buffers above */
    gg_checkpoint_writer *writer;
    struct gg_checkpoint_outcome written; /* of the last write, and whether metrics have yet to tell it */
    bool written_fresh;

    struct gg_gemm_rate gemm;
    struct gg_model_times kernels;   /* of all steps, by kind of kernel */
    double seconds[GG_PHASES];       /* since the last line of metrics; rank 0's are reported */
    double checkpoint_clock;         /* when the last checkpoint was written */
    int64_t saved_step;              /* of the newest checkpoint, or -1 */
    struct gg_time_limit time_limit; /* rank 0's counts */
    struct gg_progress progress;     /* rank 0 */
    gg_metrics *metrics;             /* rank 0 */
    bool metrics_failed;             /* the last line could not be written */
};

/* Checks everything, announces the memory, allocates it, and loads or initialises the weights: afterwards the
 * trainer can step. GG_STOPPED: a signal came meanwhile. `trainer` is zeroed memory; destroy it after a
 * failure too. Collective over the world, with the same settings; fails alike on every rank. */
gg_status gg_trainer_create(const struct gg_world *world, const struct gg_settings *settings,
                            enum gg_trainer_use use, struct gg_trainer *trainer) GG_MUST_USE;
void gg_trainer_destroy(struct gg_trainer *trainer);

/* Trains to run.steps. GG_STOPPED: a signal came, a checkpoint is written, start again to go on. GG_FAILED:
 * run.max_bad_steps steps in a row were not finite. GG_STORAGE: the last checkpoint could not be written, or
 * it was and lines of metrics are lost. Collective. */
gg_status gg_trainer_run(struct gg_trainer *trainer) GG_MUST_USE;

#endif
