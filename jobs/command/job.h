/* A subcommand that runs on all ranks of a job.
 */
#ifndef GG_JOBS_COMMAND_JOB_H
#define GG_JOBS_COMMAND_JOB_H

#include "jobs/command/command_line.h"
#include "mpi/world/world.h"

/* Reads the command line, starts MPI, checks that the launcher's tasks form one world, runs `work` on every
 * rank, sees that its output is written, ends MPI. A failure that all ranks share is printed by rank 0 alone.
 * Collective.
 *   values    [in,out] zeroed struct of the command's options; freed here
 *   min_words, max_words [in] how many words that are no options are wanted
 *   work      [in] returns the same status on every rank */
gg_status gg_job_run(const struct gg_command *command, int argc, char **argv, void *values, int min_words,
                     int max_words,
                     gg_status (*work)(const struct gg_world *, void *, const struct gg_words *));

/* Sets up the threads of this rank: `threads` of them, or OMP_NUM_THREADS where that is set, or 1; denormals
 * are zero in all of them. Before anything computes. Returns how many. Local. */
int gg_job_threads(int64_t threads);

#endif
