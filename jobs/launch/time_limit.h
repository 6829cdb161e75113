/* The end of the job's time, seen early enough to write a checkpoint before it. Local: one rank looks at the
 * clock, the others learn of it in the step's allreduce.
 *
 * The end is the earlier of the batch system's (SLURM_JOB_END_TIME, seconds since 1970, which Slurm sets from
 * version 23 on and slurm/pretrain.sbatch sets where it does not) and run.max_minutes after the start.
 * Whether to stop is asked once a step; a "no" must leave time for what comes before the next question, and
 * for the checkpoint behind that.
 */
#ifndef GG_JOBS_LAUNCH_TIME_LIMIT_H
#define GG_JOBS_LAUNCH_TIME_LIMIT_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Kept for ending the processes and starting the next job. */
enum { GG_TIME_LIMIT_MARGIN_SECONDS = 10 };

struct gg_time_limit {
    double end;                /* on the clock of gg_clock_seconds; infinite: none */
    double step_seconds;       /* the longest of late */
    double eval_seconds;       /* of a validation, the longest so far */
    double checkpoint_seconds; /* of a checkpoint, the longest so far; at first guessed from its size */
};

/* Reads the end of the job. To be called early: run.max_minutes begins here.
 *   max_minutes [in] run.max_minutes; 0: not set
 * GG_USAGE: SLURM_JOB_END_TIME is not a time. */
gg_status gg_time_limit_start(struct gg_time_limit *limit, double max_minutes) GG_MUST_USE;

/* A checkpoint will have so many bytes: taken for 100 MB/s until one was written. */
void gg_time_limit_expect(struct gg_time_limit *limit, size_t checkpoint_bytes);

/* What was measured. */
void gg_time_limit_step(struct gg_time_limit *limit, double seconds);
void gg_time_limit_eval(struct gg_time_limit *limit, double seconds);
void gg_time_limit_checkpoint(struct gg_time_limit *limit, double seconds);

/* Whether to stop behind the step that is about to end.
 *   now [in] gg_clock_seconds() */
bool gg_time_limit_reached(const struct gg_time_limit *limit, double now);

/* Seconds to the end. */
double gg_time_limit_left(const struct gg_time_limit *limit, double now);

#endif
