#include "jobs/launch/time_limit.h"

#include "core/base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

static const double GUESSED_BYTES_PER_SECOND = 100e6;
/* Old steps are forgotten slowly, so that one slow one (a file system's hiccup) ends no later job early. */
static const double FORGET = 0.98;

static gg_status read_job_end(double *seconds_left) {
    const char *text = getenv("SLURM_JOB_END_TIME");
    *seconds_left = INFINITY;
    if (text == NULL || text[0] == '\0')
        return GG_OK;
    char *end;
    errno = 0;
    const long long at = strtoll(text, &end, 10);
    if (*end != '\0' || errno != 0 || at <= 0)
        return gg_fail(
            GG_USAGE,
            "SLURM_JOB_END_TIME is '%s'; the job's end in seconds since 1970 is wanted, or unset it", text);
    *seconds_left = difftime((time_t)at, time(NULL));
    return GG_OK;
}

gg_status gg_time_limit_start(struct gg_time_limit *limit, double max_minutes) {
    const double now = gg_clock_seconds();
    double left;
    *limit = (struct gg_time_limit){.end = INFINITY};
    GG_TRY(read_job_end(&left));
    if (max_minutes > 0)
        left = fmin(left, 60 * max_minutes);
    limit->end = now + left;
    return GG_OK;
}

void gg_time_limit_expect(struct gg_time_limit *limit, size_t checkpoint_bytes) {
    gg_time_limit_checkpoint(limit, (double)checkpoint_bytes / GUESSED_BYTES_PER_SECOND);
}

void gg_time_limit_step(struct gg_time_limit *limit, double seconds) {
    limit->step_seconds = fmax(seconds, FORGET * limit->step_seconds);
}

void gg_time_limit_eval(struct gg_time_limit *limit, double seconds) {
    limit->eval_seconds = fmax(seconds, limit->eval_seconds);
}

void gg_time_limit_checkpoint(struct gg_time_limit *limit, double seconds) {
    limit->checkpoint_seconds = fmax(seconds, limit->checkpoint_seconds);
}

double gg_time_limit_left(const struct gg_time_limit *limit, double now) {
    return limit->end - now;
}

/* Behind a "no" come at most: the rest of this step, a validation and a checkpoint that are due, a whole step
 * with the next question at its end; then the last validation's time and the last checkpoint. */
bool gg_time_limit_reached(const struct gg_time_limit *limit, double now) {
    const double needed = 2 * (limit->step_seconds + limit->eval_seconds + limit->checkpoint_seconds) +
                          GG_TIME_LIMIT_MARGIN_SECONDS;
    return gg_time_limit_left(limit, now) < needed;
}
