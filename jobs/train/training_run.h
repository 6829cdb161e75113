/* What a training run holds between its steps: a session (data, machine, replica), where the run stands, what it writes.
 * Its parts have files of their own: train_step (one optimizer step), train_checkpoint (saving), train_resume (going
 * on), train_report (what the user sees); trainer.h puts them together.
 */
#ifndef GG_JOBS_TRAIN_TRAINING_RUN_H
#define GG_JOBS_TRAIN_TRAINING_RUN_H

#include "io/checkpoint/checkpoint_writer.h"
#include "io/run/metrics.h"
#include "jobs/launch/progress.h"
#include "jobs/launch/time_limit.h"
#include "jobs/train/session.h"
#include "jobs/train/train_tasks.h"
#include "jobs/use/class_figures.h"

/* What the seconds of a run go to beside those of its steps. */
enum { GG_PHASE_EVAL = GG_STEP_PHASES, GG_PHASE_CHECKPOINT, GG_PHASES };

struct gg_trainer {
    struct gg_session session;

    /* Where the run stands, as a checkpoint keeps it; the texts in it are not used. */
    struct gg_checkpoint_meta at;
    struct gg_train_resume {
        char *path; /* the checkpoint that the run goes on from; NULL: none */
        char *from; /* the one whose weights a new run begins with, or adapters stand beside; NULL: none */
        uint64_t from_checksum; /* of its weights, where adapters stand beside them */
        char *kept_base; /* adapters: where that was when the checkpoint was written; NULL: no checkpoint */
        uint64_t kept_checksum;
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
    struct gg_parameter_table trained; /* the parameters that checkpoints hold */
    struct gg_range *ranges;           /* what this rank writes of checkpoints */
    struct gg_checkpoint_share share;  /* that, with the buffers above */
    gg_checkpoint_writer *writer;
    struct gg_checkpoint_outcome written; /* of the last write, and whether metrics have yet to tell it */
    bool written_fresh;

    struct gg_train_tasks tasks;
    bool tasks_scored; /* metrics have those of the step that the run goes on from */

    double val_losses[GG_CORPORA_MOST];  /* of each corpus of data.val, of the last validation */
    struct gg_class_figures val_classes; /* of all corpora, with a model of classes */

    double seconds[GG_PHASES];       /* since the last line of metrics; rank 0's are reported */
    double checkpoint_clock;         /* when the last checkpoint was written */
    int64_t saved_step;              /* of the newest checkpoint, or -1 */
    bool best_due;                   /* the checkpoint of this step is to be the best */
    struct gg_time_limit time_limit; /* rank 0's counts */
    struct gg_progress progress;     /* rank 0 */
    gg_metrics *metrics;             /* rank 0 */
    bool metrics_failed;             /* the last line could not be written */
};

#endif
