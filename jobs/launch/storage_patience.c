#include "jobs/launch/storage_patience.h"

#include "core/base/clock.h"
#include "jobs/launch/watchdog.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const double usual_seconds = 30, first_pause = 0.1, longest_pause = 2;

static double limit_seconds(void) {
    const char *text = getenv("GRIDGPT_STORAGE_SECONDS");
    return text != NULL ? strtod(text, NULL) : usual_seconds;
}

static void wait_seconds(double seconds) {
    const struct timespec pause = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&pause, NULL);
}

bool gg_storage_patience_again(const struct gg_world *world, gg_status status,
                               struct gg_storage_patience *patience) {
    if (status != GG_STORAGE && status != GG_RESOURCE) {
        if (patience->pause > 0)
            gg_watchdog_at("start", NULL);
        return false;
    }
    const double now = gg_clock_seconds(), limit = limit_seconds();
    if (patience->pause <= 0) {
        *patience = (struct gg_storage_patience){now, first_pause};
        if (world->rank == 0 && limit > 0)
            fprintf(stderr, "warning: %s; tried again for %g seconds\n", gg_failure(), limit);
    }
    int again = now - patience->begin < limit;
    MPI_Bcast(&again, 1, MPI_INT, 0, world->comm);
    if (again) {
        gg_watchdog_at("waiting for storage that fails", NULL);
        gg_watchdog_await(GG_WATCHED_LONG);
        wait_seconds(patience->pause);
        patience->pause = patience->pause < longest_pause / 2 ? 2 * patience->pause : longest_pause;
    }
    return again != 0;
}
