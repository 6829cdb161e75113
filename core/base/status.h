/* What a function that can fail returns, and the one description of the failure.
 *
 * A function that fails calls gg_fail() once, where it knows most, with a message that names the file, the
 * setting or the rank and says what to do. Callers forward the status; one that knows more (which file, which
 * tensor) may put it in front with gg_fail_within(). The values are the process's exit statuses.
 *
 * The description is kept per thread; a thread that fails for another one must hand its text over itself.
 */
#ifndef GG_CORE_BASE_STATUS_H
#define GG_CORE_BASE_STATUS_H

typedef enum gg_status {
    GG_OK = 0,
    GG_FAILED = 1,    /* everything that has no status of its own */
    GG_USAGE = 64,    /* command line or settings */
    GG_BAD_DATA = 65, /* a file's contents */
    GG_RESOURCE = 71, /* memory, threads, file handles */
    GG_STORAGE = 74,  /* reading or writing failed: disk full, I/O error, missing file */
    GG_STOPPED = 75,  /* stopped early in good order; start again to go on */
} gg_status;

#define GG_MUST_USE                __attribute__((warn_unused_result))
#define GG_PRINTF_LIKE(text, args) __attribute__((format(printf, text, args)))

/* Records the description of a failure and returns `status`. Any earlier description is replaced. Local. */
gg_status gg_fail(gg_status status, const char *format, ...) GG_PRINTF_LIKE(2, 3);

/* Puts "<context>: " in front of the recorded description and returns `status`. Local. */
gg_status gg_fail_within(gg_status status, const char *format, ...) GG_PRINTF_LIKE(2, 3);

/* The description last recorded by this thread; "" if none. Valid until the thread's next gg_fail(). */
const char *gg_failure(void);

/* Forwards a failure. */
#define GG_TRY(call)                                                                                         \
    do {                                                                                                     \
        const gg_status gg_try_status_ = (call);                                                             \
        if (gg_try_status_ != GG_OK)                                                                         \
            return gg_try_status_;                                                                           \
    } while (0)

/* Prints the expression and aborts when it does not hold; stays on in release builds. For broken
 * promises between functions, never for input from outside. */
#define GG_ASSERT(condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            gg_assertion_failed(#condition, __FILE__, __LINE__);                                             \
    } while (0)
_Noreturn void gg_assertion_failed(const char *condition, const char *file, int line);

#endif
