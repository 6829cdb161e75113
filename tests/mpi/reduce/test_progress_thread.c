/* The thread that drives: whoever has waited for it finds it at rest, and may change its work. */
#include "mpi/reduce/progress_thread.h"
#include "tests/check.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

struct work {
    _Atomic int64_t allowed, done;
    int64_t begun;       /* the thread's own while it drives, the waiter's afterwards */
    atomic_bool driving; /* a call is under way */
    bool lingers;        /* the call goes on for a while after it told that a piece is done */
};

/* As with the buckets: after a piece it looks for another. */
static bool drive(void *context) {
    struct work *w = context;
    bool moved = false;
    w->driving = true;
    while (w->begun < w->allowed) {
        w->begun++;
        w->done++;
        if (w->lingers)
            sleep_ms(30);
        moved = true;
    }
    w->driving = false;
    return moved;
}

static bool done(void *context) {
    const struct work *w = context;
    return w->done == w->allowed;
}

static gg_progress_thread *start(struct work *w) {
    gg_progress_thread *thread = NULL;
    CHECK_OK(gg_progress_thread_start(&(struct gg_progress_work){drive, done, w}, NULL, &thread));
    return thread;
}

/* The work is done before the thread's call has returned. */
static void waits_for_the_thread_too(void **state) {
    (void)state;
    struct work w = {.lingers = true};
    gg_progress_thread *thread = start(&w);
    for (int round = 0; round < 5; round++) {
        w.allowed = 1;
        gg_progress_thread_wake(thread);
        while (!done(&w))
            sleep_ms(1);
        gg_progress_thread_wait(thread);
        assert_false(w.driving);
        /* As a new step does it. */
        w.begun = 0;
        w.done = 0;
        w.allowed = 0;
    }
    gg_progress_thread_stop(&thread);
    gg_progress_thread_stop(&thread);
}

/* Steps without end, each in several pieces, some done before the next is allowed. */
static void begins_no_piece_twice(void **state) {
    (void)state;
    enum { STEPS = 2000, PIECES = 3 };
    struct work w = {.lingers = false};
    gg_progress_thread *thread = start(&w);
    for (int step = 0; step < STEPS; step++) {
        for (int piece = 1; piece <= PIECES; piece++) {
            w.allowed = piece;
            if (!done(&w))
                gg_progress_thread_wake(thread);
        }
        gg_progress_thread_wait(thread);
        assert_int_equal(w.begun, PIECES);
        assert_int_equal(w.done, PIECES);
        w.begun = 0;
        w.done = 0;
        w.allowed = 0;
    }
    gg_progress_thread_stop(&thread);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits_for_the_thread_too),
                                       cmocka_unit_test(begins_no_piece_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
