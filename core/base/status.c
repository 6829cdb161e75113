#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILURE_BYTES = 4096 };

static _Thread_local char failure[FAILURE_BYTES];

gg_status gg_fail(gg_status status, const char *format, ...) {
    /* Formatted aside first: the arguments may quote the earlier description. */
    char text[FAILURE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(failure, text, sizeof failure);
    return status;
}

gg_status gg_fail_within(gg_status status, const char *format, ...) {
    char context[FAILURE_BYTES / 2], inner[FAILURE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(inner, failure, sizeof inner);
    const int length = snprintf(failure, sizeof failure, "%s: ", context);
    snprintf(failure + length, sizeof failure - (size_t)length, "%s", inner);
    return status;
}

const char *gg_failure(void) {
    return failure;
}

_Noreturn void gg_assertion_failed(const char *condition, const char *file, int line) {
    fprintf(stderr, "gridgpt: internal error at %s:%d: %s does not hold\n", file, line, condition);
    fflush(stderr);
    abort();
}
