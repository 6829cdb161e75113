/* When a run stops for its time limit. */
#include "core/base/clock.h"
#include "jobs/launch/time_limit.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void set_job_end(int seconds) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)time(NULL) + seconds);
    setenv("SLURM_JOB_END_TIME", text, 1);
}

static int clear(void **state) {
    (void)state;
    unsetenv("SLURM_JOB_END_TIME");
    return 0;
}

static void check_left(double max_minutes, double expected) {
    struct gg_time_limit limit;
    CHECK_OK(gg_time_limit_start(&limit, max_minutes));
    const double left = gg_time_limit_left(&limit, gg_clock_seconds());
    if (!(left > expected - 2 && left < expected + 1) && !(isinf(expected) && isinf(left)))
        fail_msg("%g seconds left, expected %g", left, expected);
}

static void earlier_end_counts(void **state) {
    (void)state;
    check_left(0, INFINITY);
    check_left(2, 120);
    set_job_end(100);
    check_left(0, 100);
    check_left(2, 100);
    check_left(1, 60);
    set_job_end(-5);
    check_left(0, -5);
    setenv("SLURM_JOB_END_TIME", "", 1);
    check_left(0, INFINITY);
}

static void no_time(void **state) {
    (void)state;
    static const char *const texts[] = {"tomorrow", "12:30", "-4", "99999999999999999999999", "0"};
    struct gg_time_limit limit;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        setenv("SLURM_JOB_END_TIME", texts[i], 1);
        CHECK_FAILS(gg_time_limit_start(&limit, 0), GG_USAGE, texts[i]);
    }
}

/* A run in made-up time: whatever the durations, its last checkpoint is written before the end, and the time
 * is used but for what was allowed. */
static void checkpoint_fits(void **state) {
    (void)state;
    static const struct {
        double step, eval, checkpoint;
        int eval_every, checkpoint_every;
    } runs[] = {{0.1, 0, 0.2, 0, 0}, {3, 20, 50, 7, 10}, {30, 0, 200, 0, 2}, {0.5, 5, 1, 1, 1}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct gg_time_limit limit;
        const double length = 3600;
        CHECK_OK(gg_time_limit_start(&limit, length / 60));
        const double begin = limit.end - length;
        double now = begin;
        gg_time_limit_expect(&limit, (size_t)(runs[i].checkpoint * 100e6));
        for (int step = 1;; step++) {
            const bool stop = gg_time_limit_reached(&limit, now + 0.9 * runs[i].step);
            now += runs[i].step;
            gg_time_limit_step(&limit, runs[i].step);
            if (runs[i].eval_every > 0 && step % runs[i].eval_every == 0) {
                now += runs[i].eval;
                gg_time_limit_eval(&limit, runs[i].eval);
            }
            if (stop || (runs[i].checkpoint_every > 0 && step % runs[i].checkpoint_every == 0)) {
                now += runs[i].checkpoint;
                gg_time_limit_checkpoint(&limit, runs[i].checkpoint);
            }
            if (stop)
                break;
        }
        const double left = limit.end - now;
        const double unused = 2 * (runs[i].step + runs[i].eval + runs[i].checkpoint);
        if (left < GG_TIME_LIMIT_MARGIN_SECONDS / 2 || left > GG_TIME_LIMIT_MARGIN_SECONDS + unused)
            fail_msg("run %zu ends %g seconds before its time", i, left);
    }
}

static void slow_step_is_forgotten(void **state) {
    (void)state;
    struct gg_time_limit limit;
    CHECK_OK(gg_time_limit_start(&limit, 10));
    const double now = limit.end - 60;
    gg_time_limit_step(&limit, 1);
    assert_false(gg_time_limit_reached(&limit, now));
    gg_time_limit_step(&limit, 300);
    assert_true(gg_time_limit_reached(&limit, now));
    for (int i = 0; i < 300; i++)
        gg_time_limit_step(&limit, 1);
    assert_false(gg_time_limit_reached(&limit, now));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(earlier_end_counts, clear),
        cmocka_unit_test_teardown(no_time, clear),
        cmocka_unit_test_teardown(checkpoint_fits, clear),
        cmocka_unit_test_teardown(slow_step_is_forgotten, clear),
    };
    unsetenv("SLURM_JOB_END_TIME");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
