#include "jobs/bench/bench_checkpoint.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "io/base/file.h"
#include "jobs/bench/bench_plain_file.h"
#include "jobs/bench/checkpoint_state.h"
#include "jobs/launch/statistics.h"

#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_REPEATS = 100 };

enum { PLAIN_WRITE, OUR_WRITE, PLAIN_READ, OUR_READ, COPY, STALL, BEHIND, MEASURES };
static const char *const names[MEASURES] = {"plain sequential write, fsync",
                                            "checkpoint write, fsync, rename",
                                            "plain sequential read",
                                            "checkpoint read, verified",
                                            "memory copy of the state",
                                            "stall of a write behind",
                                            "that write, behind"};
static const char *const keys[MEASURES] = {"plain_write", "write", "plain_read", "read",
                                           "copy",        "stall", "behind"};

struct bench {
    const struct gg_world *world;
    struct gg_checkpoint_state state;
    struct gg_checkpoint_meta meta;
    gg_checkpoint_writer *writer;
    char *folder, *plain, *ours;
    void *copy; /* of this rank's share */
    size_t share_bytes;
    int64_t state_bytes, file_bytes;
    double seconds[MEASURES][MOST_REPEATS], median[MEASURES], spread[MEASURES];
};

/* Seconds from a common start to the last rank's end. */
static double begin_together(const struct bench *b) {
    MPI_Barrier(b->world->comm);
    return gg_clock_seconds();
}

static double slowest(const struct bench *b, double begin) {
    double seconds = gg_clock_seconds() - begin;
    MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, b->world->comm);
    return seconds;
}

/* One rank writes, or reads, as many bytes as the checkpoint's file has. */
static gg_status measure_plain(struct bench *b, int repeat, bool write) {
    double seconds = 0;
    gg_status status = GG_OK;
    if (b->world->rank == 0)
        status = write ? gg_plain_file_write(b->plain, b->file_bytes, &seconds)
                       : gg_plain_file_read(b->plain, &seconds);
    b->seconds[write ? PLAIN_WRITE : PLAIN_READ][repeat] = seconds;
    return gg_agree(b->world->comm, status);
}

static gg_status measure_ours(struct bench *b, int repeat) {
    double begin = begin_together(b);
    GG_TRY(gg_checkpoint_write_share(b->world->comm, b->ours, &b->state.share, &b->meta));
    b->seconds[OUR_WRITE][repeat] = slowest(b, begin);
    b->file_bytes = gg_file_size(b->ours);
    gg_plain_file_forget(b->ours); /* here, so that every write finds as much free memory */
    GG_TRY(measure_plain(b, repeat, true));

    gg_plain_file_forget(b->plain);
    begin = begin_together(b);
    GG_TRY(gg_checkpoint_read_share(b->world->comm, b->ours, &b->state.share));
    gg_checkpoint_state_all_gather(&b->state);
    b->seconds[OUR_READ][repeat] = slowest(b, begin);
    gg_plain_file_forget(b->ours);
    GG_TRY(measure_plain(b, repeat, false));
    gg_plain_file_forget(b->plain);
    return GG_OK;
}

/* With as many threads, and into memory that was touched before, as the writer's own copy is. */
static void copy_state(const struct bench *b) {
    enum { STEP = 1 << 16 };
    char *to = b->copy;
    const int groups = 1 + b->state.share.optimizer->state_count;
    for (int g = 0; g < groups; g++) {
        const char *from = (const char *)b->state.share.values[g];
        const int64_t bytes = (int64_t)b->share_bytes / groups;
#pragma omp parallel for schedule(static)
        for (int64_t i = 0; i < bytes; i += STEP)
            memcpy(to + g * bytes + i, from + i, (size_t)(bytes - i < STEP ? bytes - i : STEP));
    }
}

static gg_status measure_stall(struct bench *b, int repeat) {
    const struct gg_checkpoint_retention retention = {1, 0, false};
    struct gg_checkpoint_outcome outcome;
    double begin = begin_together(b);
    copy_state(b);
    b->seconds[COPY][repeat] = slowest(b, begin);
    begin = begin_together(b);
    gg_checkpoint_writer_begin(b->writer, b->folder, &b->meta, &retention);
    const double stall = gg_clock_seconds() - begin;
    GG_TRY(gg_checkpoint_writer_wait(b->writer, &outcome));
    b->seconds[STALL][repeat] = stall;
    MPI_Allreduce(MPI_IN_PLACE, &b->seconds[STALL][repeat], 1, MPI_DOUBLE, MPI_MAX, b->world->comm);
    b->seconds[BEHIND][repeat] = outcome.write_seconds;
    char *written = gg_checkpoint_path(b->folder, b->meta.step);
    gg_plain_file_forget(written);
    free(written);
    return GG_OK;
}

static gg_status measure(struct bench *b, int repeats) {
    for (int repeat = 0; repeat < repeats; repeat++) {
        GG_TRY(measure_ours(b, repeat));
        GG_TRY(measure_stall(b, repeat));
    }
    for (int i = 0; i < MEASURES; i++) {
        b->median[i] = gg_median(b->seconds[i], repeats);
        b->spread[i] = gg_spread(b->seconds[i], repeats);
    }
    return GG_OK;
}

static double gigabytes_per_second(const struct bench *b, int measure) {
    const bool memory = measure == COPY || measure == STALL;
    return 1e-9 * (double)(memory ? b->state_bytes : b->file_bytes) / b->median[measure];
}

static void print_words(const struct bench *b, int repeats) {
    const struct gg_topology *topology = &b->state.replica.topology;
    printf("checkpoints of %.1f MB; %d ranks x %d threads, D x P x Q = %d x %d x %d; in %s\n",
           1e-6 * (double)b->file_bytes, b->world->size, omp_get_max_threads(), topology->replicas,
           topology->shards.feature_shards, topology->shards.token_shards, b->folder);
    printf(
        "in turns, median of %d; files are read after the system was told to forget them (posix_fadvise)\n",
        repeats);
    for (int i = 0; i < MEASURES; i++)
        printf("  %-32s %8.3f s  %7.3f GB/s  (spread %.0f%%)\n", names[i], b->median[i],
               gigabytes_per_second(b, i), 100 * b->spread[i]);
    printf("write at %.0f%% of the plain one, read at %.0f%% (80%% is wanted); a stall is %.2f memory copies "
           "(at most 1.5 wanted)\n",
           100 * b->median[PLAIN_WRITE] / b->median[OUR_WRITE],
           100 * b->median[PLAIN_READ] / b->median[OUR_READ], b->median[STALL] / b->median[COPY]);
}

static void print_json(const struct bench *b, int repeats) {
    json_t *object = json_object();
    json_object_set_new(object, "file_bytes", json_integer(b->file_bytes));
    json_object_set_new(object, "state_bytes", json_integer(b->state_bytes));
    json_object_set_new(object, "ranks", json_integer(b->world->size));
    json_object_set_new(object, "repeats", json_integer(repeats));
    for (int i = 0; i < MEASURES; i++) {
        json_t *measure = json_object();
        json_object_set_new(measure, "seconds", json_real(b->median[i]));
        json_object_set_new(measure, "spread", json_real(b->spread[i]));
        json_object_set_new(measure, "gigabytes_per_second", json_real(gigabytes_per_second(b, i)));
        json_object_set_new(object, keys[i], measure);
    }
    json_object_set_new(object, "write_share", json_real(b->median[PLAIN_WRITE] / b->median[OUR_WRITE]));
    json_object_set_new(object, "read_share", json_real(b->median[PLAIN_READ] / b->median[OUR_READ]));
    json_object_set_new(object, "stall_copies", json_real(b->median[STALL] / b->median[COPY]));
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(object);
    puts(text != NULL ? text : "{}");
    free(text);
}

static gg_status prepare(struct bench *b, const struct gg_settings *settings) {
    const bool behind = gg_checkpoint_writer_can_wait();
    if (!behind)
        return gg_fail(GG_FAILED, "this MPI allows no second thread (MPI_THREAD_MULTIPLE): nothing is "
                                  "written behind the training, and there is no stall to measure");
    GG_TRY(gg_agree(b->world->comm, b->world->rank == 0 ? gg_folder_create(b->folder) : GG_OK));
    b->share_bytes = gg_checkpoint_writer_bytes(&b->state.share);
    b->state_bytes = (int64_t)b->share_bytes;
    MPI_Allreduce(MPI_IN_PLACE, &b->state_bytes, 1, MPI_INT64_T, MPI_SUM, b->world->comm);
    GG_TRY(gg_agree(b->world->comm, gg_try_malloc(b->share_bytes, "a copy of the model's state", &b->copy)));
    copy_state(b);
    b->meta = (struct gg_checkpoint_meta){.step = 1,
                                          .vocab = b->state.replica.graph.config.vocab,
                                          .train_loss = NAN,
                                          .val_loss = NAN,
                                          .settings_yaml = gg_settings_yaml(settings)};
    return gg_checkpoint_writer_create(b->world->comm, &b->state.share, true, &b->writer);
}

static void clean(struct bench *b, const struct gg_settings *settings) {
    gg_checkpoint_writer_destroy(&b->writer);
    MPI_Barrier(b->world->comm);
    if (b->world->rank == 0) {
        char *written = gg_checkpoint_path(b->folder, b->meta.step);
        unlink(b->plain);
        unlink(b->ours);
        unlink(written);
        rmdir(b->folder);
        rmdir(settings->run.dir); /* only when it is empty */
        free(written);
    }
    gg_checkpoint_meta_free(&b->meta);
    gg_checkpoint_state_free(&b->state);
    free(b->copy);
    free(b->folder);
    free(b->plain);
    free(b->ours);
}

gg_status gg_bench_checkpoint(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                              int repeats, bool json) {
    GG_ASSERT(repeats >= 1 && repeats <= MOST_REPEATS);
    struct bench *b = gg_calloc(1, sizeof *b);
    b->world = world;
    b->folder = gg_format("%s/bench-checkpoint", settings->run.dir);
    b->plain = gg_format("%s/plain", b->folder);
    b->ours = gg_format("%s/checkpoint.h5", b->folder);
    gg_status status = gg_checkpoint_state_make(world, settings, vocab, &b->state);
    if (status == GG_OK)
        status = prepare(b, settings);
    if (status == GG_OK)
        status = measure(b, repeats);
    if (status == GG_OK && world->rank == 0) {
        if (json)
            print_json(b, repeats);
        else
            print_words(b, repeats);
    }
    clean(b, settings);
    free(b);
    return status;
}
