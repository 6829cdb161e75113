/* Work in a child process: how its end is told. */
#include "tests/check.h"

#include "jobs/command/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `work` in a child that may take a second of processor time; what it leaves with unless it returns
 * is 3. */
static gg_status run(void (*work)(void)) {
    bool inside;
    const gg_status status = gg_child_run("some.h5", "HDF5", 1, &inside);
    if (inside) {
        work();
        _exit(3);
    }
    return status;
}

static void nothing(void) {
}

/* As the system does; a sanitizer's own handler would end it in another way. */
static void crash(void) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void give_up(void) {
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void loop(void) {
    for (volatile int i = 0;; i = i + 1)
        ;
}

static void good_ends(void **state) {
    (void)state;
    gg_fail(GG_FAILED, "an earlier failure");
    assert_int_equal(run(nothing), 3);
    assert_string_equal(gg_failure(), ""); /* the child has told */
}

static void bad_ends(void **state) {
    (void)state;
    CHECK_FAILS(run(crash), GG_BAD_DATA, "some.h5: HDF5 itself failed on it (Segmentation fault)");
    CHECK_FAILS(run(give_up), GG_BAD_DATA, "some.h5: HDF5 itself failed on it (Aborted)");
    CHECK_FAILS(run(loop), GG_BAD_DATA, "some.h5: HDF5 itself does not come to an end with it");
}

static void terminate(void) {
    raise(SIGTERM);
}

/* A signal that says nothing of the file ends the parent too. */
static void other_signals(void **state) {
    (void)state;
    const pid_t parent = fork();
    if (parent == 0) {
        (void)!run(terminate);
        _exit(0);
    }
    int ended;
    assert_int_equal(waitpid(parent, &ended, 0), parent);
    assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGTERM);
}

/* Without its parent a child does not go on. */
static void orphans(void **state) {
    (void)state;
    int alive[2];
    assert_int_equal(pipe(alive), 0);
    const pid_t parent = fork();
    if (parent == 0) {
        bool inside;
        close(alive[0]);
        if (gg_child_run("some.h5", "HDF5", 60, &inside) == GG_OK && inside) {
            (void)!write(alive[1], "x", 1);
            for (;;)
                pause();
        }
        _exit(0);
    }
    char byte;
    close(alive[1]);
    assert_int_equal(read(alive[0], &byte, 1), 1); /* the child waits */
    kill(parent, SIGKILL);
    assert_int_equal(read(alive[0], &byte, 1), 0); /* nobody is left to hold the pipe */
    close(alive[0]);
    waitpid(parent, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(good_ends), cmocka_unit_test(bad_ends),
                                       cmocka_unit_test(other_signals), cmocka_unit_test(orphans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
