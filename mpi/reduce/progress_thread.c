#include "mpi/reduce/progress_thread.h"

#include "core/base/memory.h"
#include "core/base/thread.h"

#include <omp.h>
#include <stdlib.h>
#include <time.h>

struct gg_progress_thread {
    struct gg_progress_work work;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken, rested;
    bool wanted, driving, stop; /* under the lock */
};

/* Drives until nothing is left; while nothing moves, looks again and again for a while, then now and then. */
static void drive(const struct gg_progress_work *work) {
    enum { PATIENCE = 1000 };
    const struct timespec pause = {.tv_nsec = 20000};
    for (int idle = 0; !work->done(work->context);) {
        idle = work->drive(work->context) ? 0 : idle + 1;
        if (idle > PATIENCE)
            nanosleep(&pause, NULL);
    }
}

static void *run(void *argument) {
    gg_progress_thread *t = argument;
    omp_set_num_threads(1); /* of this thread's own regions */
    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        while (!t->wanted && !t->stop)
            pthread_cond_wait(&t->woken, &t->lock);
        t->wanted = false;
        t->driving = true;
        pthread_mutex_unlock(&t->lock);
        drive(&t->work);
        pthread_mutex_lock(&t->lock);
        t->driving = false;
        pthread_cond_broadcast(&t->rested);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

gg_status gg_progress_thread_start(const struct gg_progress_work *work, const cpu_set_t *cores,
                                   gg_progress_thread **thread) {
    gg_progress_thread *t = gg_calloc(1, sizeof *t);
    t->work = *work;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->woken, NULL);
    pthread_cond_init(&t->rested, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (cores != NULL)
        pthread_attr_setaffinity_np(&attributes, sizeof *cores, cores);
    const gg_status status = gg_thread_start(&attributes, run, t, "drives the sum of gradients", &t->thread);
    pthread_attr_destroy(&attributes);
    if (status != GG_OK) {
        free(t);
        return status;
    }
    *thread = t;
    return GG_OK;
}

void gg_progress_thread_stop(gg_progress_thread **thread) {
    gg_progress_thread *t = *thread;
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_signal(&t->woken);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->woken);
    pthread_cond_destroy(&t->rested);
    pthread_mutex_destroy(&t->lock);
    free(t);
    *thread = NULL;
}

void gg_progress_thread_wake(gg_progress_thread *thread) {
    pthread_mutex_lock(&thread->lock);
    thread->wanted = true;
    pthread_cond_signal(&thread->woken);
    pthread_mutex_unlock(&thread->lock);
}

void gg_progress_thread_wait(gg_progress_thread *thread) {
    pthread_mutex_lock(&thread->lock);
    while (thread->wanted || thread->driving || !thread->work.done(thread->work.context))
        pthread_cond_wait(&thread->rested, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}
