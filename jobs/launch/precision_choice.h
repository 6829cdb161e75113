/* Which precision a job computes in, on the processors it got.
 */
#ifndef GG_JOBS_LAUNCH_PRECISION_CHOICE_H
#define GG_JOBS_LAUNCH_PRECISION_CHOICE_H

#include "jobs/command/settings.h"
#include "mpi/world/world.h"

/* What --precision of the commands that use a checkpoint may be. */
enum gg_precision_option {
    GG_PRECISION_OPTION_CHECKPOINT,
    GG_PRECISION_OPTION_FP32,
    GG_PRECISION_OPTION_BF16
};
extern const char *const gg_precision_option_names[]; /* ends with NULL */

extern const char *const gg_precision_names[]; /* by enum gg_precision */

/* The precision that every rank's processor has: `wanted`, or what `fallback` says where one has no bf16;
 * then rank 0 says so on standard error. Collective over the world. GG_USAGE: bf16 is wanted, some rank
 * cannot, and there is no fallback. */
gg_status gg_precision_choose(const struct gg_world *world, enum gg_precision wanted,
                              enum gg_fallback fallback, enum gg_precision *precision) GG_MUST_USE;

/* The same for a checkpoint whose run computed in `trained_in`: where the option leaves it to the checkpoint,
 * bf16 falls back to fp32. */
gg_status gg_precision_choose_option(const struct gg_world *world, int option, enum gg_precision trained_in,
                                     enum gg_precision *precision) GG_MUST_USE;

#endif
