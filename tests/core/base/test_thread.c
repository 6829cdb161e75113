/* Threads of our own take no signals, and their maker takes those that it took before. */
#include "core/base/thread.h"
#include "tests/check.h"

#include <signal.h>
#include <string.h>

static void *read_mask(void *mask) {
    pthread_sigmask(SIG_SETMASK, NULL, mask);
    return NULL;
}

static void takes_no_signals(void **state) {
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGPIPE};
    sigset_t mask, one, makers;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &one, NULL);
    pthread_t thread;
    CHECK_OK(gg_thread_start(NULL, read_mask, &mask, "reads its mask", &thread));
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &makers);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_int_equal(sigismember(&mask, signals[i]), 1);
        assert_int_equal(sigismember(&makers, signals[i]), signals[i] == SIGUSR2);
    }
}

static void says_which(void **state) {
    (void)state;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)1 << 62), 0); /* more than there is */
    pthread_t thread;
    CHECK_FAILS(gg_thread_start(&attributes, read_mask, NULL, "reads its mask", &thread), GG_RESOURCE,
                "the thread that reads its mask cannot be started: ");
    pthread_attr_destroy(&attributes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_no_signals), cmocka_unit_test(says_which)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
