#include "jobs/launch/watchdog.h"

#include "core/base/thread.h"
#include "jobs/launch/roll_thread.h"

#include <math.h>
#include <mpi.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* LONG_FACTOR: what has no usual time, in terms of the least limit of a step. ABORT_SECONDS: how long the
 * others have to print and to answer the roll, then how long the lowest rank has to end the job before the
 * others do, and how long MPI has to abort. */
enum { TICK_MS = 100, LONG_FACTOR = 6, ABORT_SECONDS = 3, SAMPLES = 31 };

static struct {
    pthread_t thread;
    bool running;
    int rank;
    char host[256];
    double multiple, minutes;
    double durations[SAMPLES]; /* of the last steps; the training thread's own */
    int64_t counted;

    atomic_bool stop;
    _Atomic(const char *) phase, collective;
    _Atomic int64_t step;
    _Atomic uint64_t progress;   /* changes whenever the time begins anew */
    _Atomic double limit, usual; /* seconds */
} dog;

/* Counts ticks rather than reading a clock: see the header on suspended jobs. Returns false at the end. */
static bool tick(double *waited) {
    const struct timespec pause = {0, TICK_MS * 1000000L};
    nanosleep(&pause, NULL);
    *waited += 1e-3 * TICK_MS;
    return !atomic_load(&dog.stop);
}

static void say_where(double waited) {
    const char *phase = atomic_load(&dog.phase), *collective = atomic_load(&dog.collective);
    const double usual = atomic_load(&dog.usual);
    char line[1024], steps[96] = "";
    if (usual > 0)
        snprintf(steps, sizeof steps, " (the median step takes %.3g s)", usual);
    snprintf(
        line, sizeof line,
        "watchdog: rank %d on %s: nothing has ended for %.0f s%s; it is behind step %lld, phase: %s, %s%s\n",
        dog.rank, dog.host, waited, steps, (long long)atomic_load(&dog.step), phase,
        collective != NULL ? "in the collective: " : "in no collective",
        collective != NULL ? collective : "");
    fputs(line, stderr);
    fflush(stderr);
}

/* True when a step ended after all while the others had time to print. */
static bool recovers(uint64_t progress) {
    double waited = 0;
    while (waited < ABORT_SECONDS)
        if (!tick(&waited) || atomic_load(&dog.progress) != progress)
            return true;
    return false;
}

/* Tells who was not heard from, unless that is for a lower rank: then false. */
static bool tell_roll(void) {
    struct gg_roll_answer answer;
    switch (gg_roll_thread_answer(&answer)) {
    case GG_ROLL_NONE:
        break;
    case GG_ROLL_STUCK:
        fprintf(stderr, "watchdog: rank %d on %s cannot call the other ranks: MPI does not return\n",
                dog.rank, dog.host);
        break;
    case GG_ROLL_ANSWER:
        if (!answer.speaks)
            return false;
        if (answer.missing > 0)
            fprintf(stderr, "watchdog: not heard from: %s\n", answer.names);
        else
            fputs("watchdog: every rank was heard from; see which is elsewhere than the rest\n", stderr);
        break;
    }
    return true;
}

static void end_job(void) {
    fprintf(stderr, "watchdog: rank %d on %s ends the job; raise run.watchdog_minutes if it only was slow\n",
            dog.rank, dog.host);
    fflush(stderr);
    alarm(ABORT_SECONDS); /* MPI may hang too */
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* At the limit. Returns when a step has ended after all, or the watchdog is to stop. */
static void bark(double waited, uint64_t progress) {
    say_where(waited);
    gg_roll_thread_ask(true);
    if (!recovers(progress) && (tell_roll() || !recovers(progress)))
        end_job();
    gg_roll_thread_ask(false);
}

static void *watch(void *unused) {
    uint64_t seen = 0;
    double waited = 0;
    while (tick(&waited)) {
        const uint64_t progress = atomic_load(&dog.progress);
        const double limit = atomic_load(&dog.limit);
        const bool called = gg_roll_thread_called();
        if (progress != seen) {
            seen = progress;
            waited = 0;
        } else if (waited >= limit || (called && waited >= limit / 2)) {
            bark(waited, progress);
            waited = 0;
        }
    }
    return unused;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_step(void) {
    double sorted[SAMPLES];
    const size_t count = dog.counted < SAMPLES ? (size_t)dog.counted : SAMPLES;
    if (count == 0)
        return 0;
    memcpy(sorted, dog.durations, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    return sorted[count / 2];
}

void gg_watchdog_await(enum gg_watched watched) {
    if (!dog.running)
        return;
    const double least = 60 * dog.minutes, usual = median_step();
    double limit = LONG_FACTOR * least;
    if (watched == GG_WATCHED_STEP && usual > 0)
        limit = fmax(least, dog.multiple * usual);
    atomic_store(&dog.usual, usual);
    atomic_store(&dog.limit, limit);
    atomic_fetch_add(&dog.progress, 1);
}

void gg_watchdog_step(int64_t step, double seconds) {
    if (!dog.running)
        return;
    dog.durations[dog.counted++ % SAMPLES] = seconds;
    atomic_store(&dog.step, step);
    gg_watchdog_await(GG_WATCHED_STEP);
}

void gg_watchdog_at(const char *phase, const char *collective) {
    atomic_store_explicit(&dog.phase, phase, memory_order_relaxed);
    atomic_store_explicit(&dog.collective, collective, memory_order_relaxed);
}

void gg_watchdog_start(const struct gg_world *world, double multiple, double minutes) {
    if (multiple <= 0)
        return;
    dog.rank = world->rank;
    dog.multiple = multiple;
    dog.minutes = minutes;
    dog.counted = 0;
    if (gethostname(dog.host, sizeof dog.host - 1) != 0)
        strcpy(dog.host, "an unnamed host");
    atomic_store(&dog.stop, false);
    atomic_store(&dog.step, 0);
    gg_watchdog_at("start", NULL);
    dog.running = true;
    gg_watchdog_await(GG_WATCHED_LONG);
    gg_roll_thread_start(world, dog.host);
    /* Without it the run is what it would be with run.watchdog 0. */
    dog.running = gg_thread_start(NULL, watch, NULL, "watches the run", &dog.thread) == GG_OK;
    if (!dog.running)
        fprintf(stderr, "warning: rank %d has no watchdog: %s\n", world->rank, gg_failure());
}

void gg_watchdog_stop(void) {
    if (dog.running) {
        atomic_store(&dog.stop, true);
        pthread_join(dog.thread, NULL);
        dog.running = false;
    }
    gg_roll_thread_stop();
}
