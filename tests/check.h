/* What the C tests share: cmocka, and comparisons that print the largest error, its index and the tolerance.
 */
#ifndef GG_TESTS_CHECK_H
#define GG_TESTS_CHECK_H

#include "core/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <math.h>

#define CHECK_OK(call)                                                                                       \
    do {                                                                                                     \
        const gg_status check_status_ = (call);                                                              \
        if (check_status_ != GG_OK)                                                                          \
            fail_msg("%s: status %d: %s", #call, (int)check_status_, gg_failure());                          \
    } while (0)

/* Fails unless `call` fails with `status` and its description contains `part`. */
#define CHECK_FAILS(call, status, part)                                                                      \
    do {                                                                                                     \
        assert_int_equal((int)(call), (int)(status));                                                        \
        if (strstr(gg_failure(), (part)) == NULL)                                                            \
            fail_msg("'%s' is not in the message: %s", (part), gg_failure());                                \
    } while (0)

/* max |a - b| <= tolerance * max(1e-30, max |b|): relative to the tensor's largest element. */
static inline void check_close(const char *what, const float *a, const float *b, int64_t count,
                               double tolerance) {
    double largest = 1e-30, error = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        const double size = fabs((double)b[i]), difference = fabs((double)a[i] - (double)b[i]);
        if (size > largest)
            largest = size;
        if (!(difference <= error)) {
            error = difference;
            at = i;
        }
    }
    if (!(error <= tolerance * largest))
        fail_msg("%s: largest error %.3g of %.3g at %lld (%.9g, expected %.9g), tolerance %.1g", what, error,
                 largest, (long long)at, (double)a[at], (double)b[at], tolerance);
}

#endif
