/* The learning rate at the corners of every schedule. */
#include "core/optim/schedule.h"
#include "tests/check.h"

#include <string.h>

static struct gg_optim_settings settings;
static const int64_t steps = 110;

static int setup(void **state) {
    (void)state;
    settings = (struct gg_optim_settings){0};
    gg_options_defaults(&gg_optim_setting_rows, &settings);
    settings.lr = 1e-3;
    settings.min_lr = 1e-4;
    settings.warmup = 10;
    settings.decay = 20;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    gg_options_free(&gg_optim_setting_rows, &settings);
    return 0;
}

static void check_rate(int schedule, int64_t step, double expected) {
    settings.schedule = schedule;
    const double rate = gg_learning_rate(&settings, steps, step);
    if (fabs(rate - expected) > 1e-12)
        fail_msg("schedule %d, step %d: %.12g, expected %.12g", schedule, (int)step, rate, expected);
}

static void warmup(void **state) {
    (void)state;
    for (int schedule = GG_SCHEDULE_COSINE; schedule <= GG_SCHEDULE_WSD; schedule++) {
        check_rate(schedule, 1, 1e-4);
        check_rate(schedule, 5, 5e-4);
        check_rate(schedule, 10, 1e-3);
    }
    settings.warmup = 0;
    check_rate(GG_SCHEDULE_CONSTANT, 1, 1e-3);
}

static void corners(void **state) {
    (void)state;
    check_rate(GG_SCHEDULE_COSINE, 60, 5.5e-4);
    check_rate(GG_SCHEDULE_COSINE, 35, 1e-4 + 9e-4 * (1 + sqrt(0.5)) / 2);
    check_rate(GG_SCHEDULE_LINEAR, 60, 5.5e-4);
    check_rate(GG_SCHEDULE_LINEAR, 35, 7.75e-4);
    check_rate(GG_SCHEDULE_CONSTANT, 110, 1e-3);
    check_rate(GG_SCHEDULE_WSD, 90, 1e-3);
    check_rate(GG_SCHEDULE_WSD, 95, 5.5e-4); /* a quarter of the decay: 1 - sqrt(1/4) */
    for (int64_t step = 110; step < 200; step += 45) {
        check_rate(GG_SCHEDULE_COSINE, step, 1e-4);
        check_rate(GG_SCHEDULE_LINEAR, step, 1e-4);
        check_rate(GG_SCHEDULE_WSD, step, 1e-4);
    }
}

static void degenerate(void **state) {
    (void)state;
    settings.warmup = 200; /* longer than the run */
    check_rate(GG_SCHEDULE_COSINE, 110, 5.5e-4);
    settings.warmup = 110;
    check_rate(GG_SCHEDULE_CONSTANT, 110, 1e-3);
    settings.warmup = 0;
    settings.decay = 0;
    check_rate(GG_SCHEDULE_WSD, 110, 1e-3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(warmup, setup, teardown),
        cmocka_unit_test_setup_teardown(corners, setup, teardown),
        cmocka_unit_test_setup_teardown(degenerate, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
