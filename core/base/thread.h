/* Threads that work beside the main one. Local.
 */
#ifndef GG_CORE_BASE_THREAD_H
#define GG_CORE_BASE_THREAD_H

#include "core/base/status.h"

#include <pthread.h>

/* Starts a thread that takes no signals: they are for the main thread, or for the one that listens.
 *   attributes [in]  NULL: the usual ones
 *   what       [in]  what it does, for the message: "reads ahead"
 *   thread     [out] for pthread_join
 * GG_RESOURCE: no thread is to be had. */
gg_status gg_thread_start(const pthread_attr_t *attributes, void *(*run)(void *context), void *context,
                          const char *what, pthread_t *thread) GG_MUST_USE;

#endif
