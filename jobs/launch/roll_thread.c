#include "jobs/launch/roll_thread.h"

#include "core/base/thread.h"
#include "mpi/world/roll_call.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static struct {
    gg_roll_call *call; /* the thread's own while it runs */
    int rank;
    pthread_t thread;
    bool running;
    atomic_bool stop, asks, called;
    pthread_mutex_t lock;
    bool answered; /* under the lock, as the answer */
    struct gg_roll_answer answer;
} roll = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void publish(void) {
    struct gg_roll_answer answer;
    answer.missing = gg_roll_call_missing(roll.call, answer.names, sizeof answer.names);
    answer.speaks = true;
    for (int rank = 0; rank < roll.rank; rank++)
        answer.speaks = answer.speaks && !gg_roll_call_heard(roll.call, rank);
    pthread_mutex_lock(&roll.lock);
    roll.answer = answer;
    roll.answered = true;
    pthread_mutex_unlock(&roll.lock);
}

/* A call that the watchdog has not looked at yet keeps what came with it. */
static void *keep_roll(void *unused) {
    enum { PAUSE_MS = 100 };
    while (!atomic_load(&roll.stop)) {
        const bool asks = atomic_load(&roll.asks);
        if (gg_roll_call_turn(roll.call, asks))
            atomic_store(&roll.called, true);
        if (asks)
            publish();
        else if (!atomic_load(&roll.called))
            gg_roll_call_forget(roll.call);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    return unused;
}

void gg_roll_thread_start(const struct gg_world *world, const char *host) {
    if (world->size == 1 || !gg_world_takes_threads())
        return;
    roll.rank = world->rank;
    roll.call = gg_roll_call_create(world->comm, host);
    atomic_store(&roll.stop, false);
    gg_roll_thread_ask(false);
    atomic_store(&roll.called, false);
    roll.running =
        gg_thread_start(NULL, keep_roll, NULL, "answers the watchdogs of other ranks", &roll.thread) == GG_OK;
    if (!roll.running)
        fprintf(stderr, "warning: rank %d will not answer when the watchdog calls the roll: %s\n",
                world->rank, gg_failure());
}

void gg_roll_thread_stop(void) {
    if (roll.running) {
        atomic_store(&roll.stop, true);
        pthread_join(roll.thread, NULL);
        roll.running = false;
    }
    gg_roll_call_destroy(&roll.call);
}

void gg_roll_thread_ask(bool asks) {
    pthread_mutex_lock(&roll.lock);
    roll.answered = false;
    pthread_mutex_unlock(&roll.lock);
    atomic_store(&roll.asks, asks);
}

bool gg_roll_thread_called(void) {
    return atomic_exchange(&roll.called, false);
}

enum gg_roll_state gg_roll_thread_answer(struct gg_roll_answer *answer) {
    if (!roll.running)
        return GG_ROLL_NONE;
    pthread_mutex_lock(&roll.lock);
    const bool answered = roll.answered;
    *answer = roll.answer;
    pthread_mutex_unlock(&roll.lock);
    return answered ? GG_ROLL_ANSWER : GG_ROLL_STUCK;
}
