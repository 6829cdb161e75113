/* Seconds of the monotonic clock. */
#ifndef GG_CORE_BASE_CLOCK_H
#define GG_CORE_BASE_CLOCK_H

#include <time.h>

static inline double gg_clock_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
