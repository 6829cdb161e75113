#include "io/checkpoint/checkpoint_writer.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/thread.h"
#include "io/base/file.h"
#include "io/checkpoint/checkpoint_transfer_internal.h"
#include "mpi/world/patience.h"
#include "mpi/world/world.h"

#include <errno.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct gg_checkpoint_writer {
    MPI_Comm comm;
    int rank;
    bool behind;
    struct gg_checkpoint_share source; /* the training's buffers */
    struct gg_checkpoint_share copy;   /* compact; behind only */
    void *memory;                      /* of the copy */
    int64_t elements;                  /* of the share, per group */

    bool busy;
    pthread_t thread;
    bool threaded;      /* the thread is to be joined */
    atomic_bool ended;  /* set last by the thread */
    gg_status status;   /* what came out, and why */
    char failure[4096]; /* the thread's description, for the one that waits */
    char *folder;
    struct gg_checkpoint_meta meta; /* with texts of its own */
    struct gg_checkpoint_retention retention;
    struct gg_checkpoint_outcome outcome;
};

bool gg_checkpoint_writer_can_wait(void) {
    return gg_world_takes_threads();
}

static int64_t elements_of(const struct gg_checkpoint_share *share) {
    int64_t elements = 0;
    for (int i = 0; i < share->range_count; i++)
        elements += share->ranges[i].to - share->ranges[i].from;
    return elements;
}

size_t gg_checkpoint_writer_bytes(const struct gg_checkpoint_share *share) {
    return (size_t)(gg_checkpoint_share_groups(share) * elements_of(share)) * sizeof(float);
}

/* Copies a run of floats with all threads, each a consecutive part: the same pages each time, so that they
 * stay in the memory of the thread's own socket. */
static void copy_run(float *to, const float *from, int64_t count) {
    enum { STEP = 1 << 16 };
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i += STEP)
        memcpy(to + i, from + i, (size_t)(count - i < STEP ? count - i : STEP) * sizeof *to);
}

static void copy_share(gg_checkpoint_writer *w) {
    for (int g = 0; g < gg_checkpoint_share_groups(&w->source); g++) {
        if (w->source.compact[g]) {
            copy_run(w->copy.values[g], w->source.values[g], w->elements);
            continue;
        }
        for (int i = 0; i < w->source.range_count; i++) {
            const struct gg_range *range = &w->source.ranges[i];
            copy_run(w->copy.values[g] + range->at, w->source.values[g] + range->from,
                     range->to - range->from);
        }
    }
}

gg_status gg_checkpoint_writer_create(MPI_Comm comm, const struct gg_checkpoint_share *share, bool behind,
                                      gg_checkpoint_writer **writer) {
    gg_checkpoint_writer *w = gg_calloc(1, sizeof *w);
    *writer = w;
    MPI_Comm_dup(comm, &w->comm);
    MPI_Comm_rank(comm, &w->rank);
    w->behind = behind;
    w->source = w->copy = *share;
    w->elements = elements_of(share);
    if (!behind)
        return GG_OK;
    GG_TRY(gg_agree(comm, gg_try_malloc(gg_checkpoint_writer_bytes(share), "the copy of a checkpoint",
                                        &w->memory)));
    for (int g = 0; g < gg_checkpoint_share_groups(share); g++) {
        w->copy.values[g] = (float *)w->memory + g * w->elements;
        w->copy.compact[g] = true;
    }
    copy_share(w); /* makes the system hand out the pages now */
    return GG_OK;
}

/* Rank 0: makes the folder again when somebody has removed it. */
static gg_status keep_folder(gg_checkpoint_writer *w) {
    struct stat info;
    if (stat(w->folder, &info) == 0 || errno != ENOENT)
        return GG_OK;
    GG_TRY(gg_folder_create(w->folder));
    w->outcome.folder_made = true;
    return GG_OK;
}

/* Writes what `share` holds, and removes old checkpoints. Collective. */
static gg_status write_now(gg_checkpoint_writer *w, const struct gg_checkpoint_share *share) {
    const double begin = gg_clock_seconds();
    GG_TRY(gg_agree_patiently(w->comm, w->rank == 0 ? keep_folder(w) : GG_OK));
    char *path = gg_checkpoint_path(w->folder, w->meta.step);
    gg_status status = gg_checkpoint_write_share(w->comm, path, share, &w->meta);
    free(path);
    w->outcome.written = status == GG_OK;
    w->outcome.write_seconds = gg_clock_seconds() - begin;
    if (status == GG_OK && w->rank == 0 && w->retention.best)
        status = gg_checkpoint_name_best(w->folder, w->meta.step);
    if (status == GG_OK && w->rank == 0)
        status = gg_checkpoint_prune(w->folder, w->meta.step, w->retention.keep, w->retention.keep_every);
    return gg_agree_patiently(w->comm, status);
}

static void *write_behind(void *context) {
    gg_checkpoint_writer *w = context;
    omp_set_num_threads(1); /* of this thread: the processor is the training's */
    w->status = write_now(w, &w->copy);
    if (w->status != GG_OK)
        strncpy(w->failure, gg_failure(), sizeof w->failure - 1);
    atomic_store(&w->ended, true);
    return NULL;
}

static struct gg_checkpoint_meta copy_meta(const struct gg_checkpoint_meta *meta) {
    struct gg_checkpoint_meta copy = *meta;
    if (meta->settings_yaml != NULL)
        copy.settings_yaml = gg_strdup(meta->settings_yaml);
    if (meta->tokenizer_json != NULL)
        copy.tokenizer_json = gg_strndup(meta->tokenizer_json, meta->tokenizer_bytes);
    if (meta->base_path != NULL)
        copy.base_path = gg_strdup(meta->base_path);
    return copy;
}

void gg_checkpoint_writer_begin(gg_checkpoint_writer *w, const char *folder,
                                const struct gg_checkpoint_meta *meta,
                                const struct gg_checkpoint_retention *retention) {
    GG_ASSERT(!w->busy);
    const double begin = gg_clock_seconds();
    w->busy = true;
    w->folder = gg_strdup(folder);
    w->meta = copy_meta(meta);
    w->retention = *retention;
    w->outcome = (struct gg_checkpoint_outcome){.step = meta->step};
    w->failure[0] = '\0';
    atomic_store(&w->ended, false);
    if (w->behind) {
        copy_share(w);
        w->outcome.copy_seconds = gg_clock_seconds() - begin;
        w->threaded = gg_thread_start(NULL, write_behind, w, "writes checkpoints", &w->thread) == GG_OK;
        if (!w->threaded) /* the others' threads wait for this rank: it writes here */
            write_behind(w);
    } else {
        w->status = write_now(w, &w->source);
        if (w->status != GG_OK)
            strncpy(w->failure, gg_failure(), sizeof w->failure - 1);
        atomic_store(&w->ended, true);
    }
}

bool gg_checkpoint_writer_busy(const gg_checkpoint_writer *w) {
    return w->busy;
}

bool gg_checkpoint_writer_ended(const gg_checkpoint_writer *w) {
    return atomic_load(&w->ended);
}

gg_status gg_checkpoint_writer_wait(gg_checkpoint_writer *w, struct gg_checkpoint_outcome *outcome) {
    GG_ASSERT(w->busy);
    if (w->threaded)
        pthread_join(w->thread, NULL);
    w->busy = w->threaded = false;
    *outcome = w->outcome;
    free(w->folder);
    w->folder = NULL;
    gg_checkpoint_meta_free(&w->meta);
    return w->status == GG_OK ? GG_OK : gg_fail(w->status, "%s", w->failure);
}

void gg_checkpoint_writer_destroy(gg_checkpoint_writer **writer) {
    gg_checkpoint_writer *w = *writer;
    if (w == NULL)
        return;
    struct gg_checkpoint_outcome outcome;
    if (w->busy && gg_checkpoint_writer_wait(w, &outcome) != GG_OK && w->rank == 0)
        fprintf(stderr, "warning: no checkpoint of step %lld: %s\n", (long long)outcome.step, gg_failure());
    MPI_Comm_free(&w->comm);
    free(w->memory);
    free(w);
    *writer = NULL;
}
