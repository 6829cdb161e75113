#include "core/base/thread.h"

#include <signal.h>
#include <string.h>

gg_status gg_thread_start(const pthread_attr_t *attributes, void *(*run)(void *context), void *context,
                          const char *what, pthread_t *thread) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a thread begins with the mask of the one that makes it */
    const int error = pthread_create(thread, attributes, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return gg_fail(GG_RESOURCE, "the thread that %s cannot be started: %s", what, strerror(error));
    return GG_OK;
}
