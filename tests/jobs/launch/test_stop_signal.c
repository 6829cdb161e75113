/* Being asked to stop: the flag that a handler sets in a thread of its own is seen by the one that computes.
 */
#include "jobs/launch/stop_signal.h"
#include "tests/check.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Until a signal was seen; false after ten seconds without. */
static bool asked(void) {
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 10000; i++) {
        if (gg_stop_requested())
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* A process that stops in good order when `signal` comes; ends with 0 if all was as it should be. */
static int stops_by(int number) {
    gg_stop_install();
    if (gg_stop_requested())
        return 1;
    kill(getpid(), number);
    if (!asked())
        return 2;
    gg_stop_end();
    kill(getpid(), SIGTERM); /* who asks again changes nothing */
    kill(getpid(), SIGUSR1);
    return gg_stop_requested() ? 0 : 3;
}

static int in_child(int (*function)(int number), int number) {
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(function(number));
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    return how;
}

static void each_signal_is_seen(void **state) {
    (void)state;
    assert_int_equal(in_child(stops_by, SIGUSR1), 0);
    assert_int_equal(in_child(stops_by, SIGTERM), 0);
    assert_int_equal(in_child(stops_by, SIGINT), 0);
}

static int interrupted_twice(int number) {
    gg_stop_install();
    kill(getpid(), number);
    if (!asked())
        return 1;
    kill(getpid(), number);
    sleep(10);
    return 2;
}

static void a_second_interrupt_kills(void **state) {
    (void)state;
    const int how = in_child(interrupted_twice, SIGINT);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGINT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_signal_is_seen),
                                       cmocka_unit_test(a_second_interrupt_kills)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
