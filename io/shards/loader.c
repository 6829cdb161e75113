#include "io/shards/loader.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/thread.h"
#include "io/shards/shard_source.h" /* gg_shard_source_most_bytes */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Look-ahead: enough rows that a new pool's chunks are decompressed while they last. */
    LOOK_AHEAD_ROWS = 64,
    LOOK_AHEAD_MICRO_BATCHES = 4,
};

struct gg_loader {
    struct gg_source source;
    struct gg_loader_plan plan;

    /* The ring of micro-batches, each of B rows of T + 1 tokens, their sample ids, and the marks of T inputs. */
    int64_t slots;
    int32_t *tokens;
    uint64_t *ids;
    void *mark_memory;
    struct gg_marks marks;

    bool running; /* the thread exists */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    /* Below: under the lock. */
    int64_t made, taken; /* micro-batches since the start */
    bool stop;
    gg_status status; /* of the thread; once failed it has ended */
    char *failure;
};

void gg_loader_create(const struct gg_source *source, gg_loader **loader) {
    gg_loader *l = gg_calloc(1, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->filled, NULL);
    pthread_cond_init(&l->freed, NULL);
    l->source = *source;
    *loader = l;
}

static int64_t ring_slots(int64_t micro) {
    const int64_t slots = (LOOK_AHEAD_ROWS + micro - 1) / micro;
    return slots > LOOK_AHEAD_MICRO_BATCHES ? slots : LOOK_AHEAD_MICRO_BATCHES;
}

static size_t ring_bytes(int64_t context, int64_t micro, bool marked) {
    const size_t rows = (size_t)(ring_slots(micro) * micro);
    const size_t mark_bytes = marked ? (size_t)context * GG_MARK_BYTES : 0;
    return rows * ((size_t)(context + 1) * sizeof(int32_t) + sizeof(uint64_t) + mark_bytes);
}

size_t gg_loader_bytes(const gg_loader *loader, const struct gg_loader_plan *plan) {
    return loader->source.bytes + ring_bytes(loader->source.context, plan->micro, loader->source.marked);
}

size_t gg_loader_most_bytes(int64_t vocab, int64_t context, int64_t micro) {
    return gg_shard_source_most_bytes(vocab) + ring_bytes(context, micro, false);
}

/* The sample of row `row` of the plan's micro-batch number `micro_batch`. */
static uint64_t sample_of(const gg_loader *loader, int64_t micro_batch, int64_t row) {
    const struct gg_loader_plan *plan = &loader->plan;
    const int64_t played = plan->played > 0 ? plan->played : 1, virtual_replicas = played * plan->replicas;
    const int64_t accumulation = plan->sequences / (plan->micro * virtual_replicas);
    const int64_t step = micro_batch / (accumulation * played), a = micro_batch % accumulation;
    const int64_t v = plan->replica * played + micro_batch / accumulation % played;
    return (uint64_t)(plan->consumed + step * plan->sequences + (a * virtual_replicas + v) * plan->micro +
                      row);
}

static gg_status fill(gg_loader *loader, int64_t micro_batch) {
    const int64_t context = loader->source.context, slot = micro_batch % loader->slots;
    for (int64_t row = 0; row < loader->plan.micro; row++) {
        const int64_t at = slot * loader->plan.micro + row;
        const struct gg_sample sample = {loader->tokens + at * (context + 1),
                                         gg_marks_from(&loader->marks, at * context)};
        uint64_t *id = &loader->ids[at];
        *id = sample_of(loader, micro_batch, row);
        if (*id >= loader->source.end) {
            *id = GG_LOADER_NO_SAMPLE;
            continue;
        }
        GG_TRY(loader->source.read(loader->source.self, *id, &sample));
    }
    return GG_OK;
}

static void *prefetch(void *argument) {
    gg_loader *loader = argument;
    for (int64_t next = 0;; next++) {
        pthread_mutex_lock(&loader->lock);
        while (!loader->stop && next - loader->taken >= loader->slots)
            pthread_cond_wait(&loader->freed, &loader->lock);
        const bool stop = loader->stop;
        pthread_mutex_unlock(&loader->lock);
        if (stop)
            return NULL;

        const gg_status status = fill(loader, next);
        pthread_mutex_lock(&loader->lock);
        if (status == GG_OK) {
            loader->made = next + 1;
        } else {
            loader->status = status;
            loader->failure = gg_strdup(gg_failure());
        }
        pthread_cond_signal(&loader->filled);
        pthread_mutex_unlock(&loader->lock);
        if (status != GG_OK)
            return NULL;
    }
}

static void stop(gg_loader *loader) {
    if (loader->running) {
        pthread_mutex_lock(&loader->lock);
        loader->stop = true;
        pthread_cond_signal(&loader->freed);
        pthread_mutex_unlock(&loader->lock);
        pthread_join(loader->thread, NULL);
    }
    free(loader->tokens);
    free(loader->ids);
    free(loader->mark_memory);
    free(loader->failure);
    loader->tokens = NULL;
    loader->ids = NULL;
    loader->mark_memory = NULL;
    loader->marks = (struct gg_marks){0};
    loader->failure = NULL;
    loader->running = loader->stop = false;
    loader->made = loader->taken = 0;
    loader->status = GG_OK;
}

void gg_loader_destroy(gg_loader **loader) {
    if (*loader == NULL)
        return;
    stop(*loader);
    (*loader)->source.close((*loader)->source.self);
    pthread_cond_destroy(&(*loader)->freed);
    pthread_cond_destroy(&(*loader)->filled);
    pthread_mutex_destroy(&(*loader)->lock);
    free(*loader);
    *loader = NULL;
}

static gg_status make_marks(gg_loader *loader, size_t inputs) {
    GG_TRY(gg_try_malloc(inputs * GG_MARK_BYTES, "the look-ahead", &loader->mark_memory));
    float *reals = loader->mark_memory;
    int32_t *integers = (int32_t *)(void *)(reals + 2 * inputs);
    loader->marks = (struct gg_marks){reals, integers, integers + inputs, reals + inputs};
    return GG_OK;
}

gg_status gg_loader_start(gg_loader *loader, const struct gg_loader_plan *plan) {
    GG_ASSERT(plan->micro > 0 && plan->replicas > 0 && plan->sequences > 0 && plan->consumed >= 0);
    GG_ASSERT(plan->replica >= 0 && plan->replica < plan->replicas);
    if (plan->sequences % plan->micro != 0 || plan->sequences / plan->micro % plan->replicas != 0)
        return gg_fail(GG_USAGE,
                       "batch.sequences (%lld) must be a multiple of batch.micro (%lld) times the number of "
                       "replicas (%d)",
                       (long long)plan->sequences, (long long)plan->micro, plan->replicas);
    GG_ASSERT(plan->played <= 1 || plan->sequences / (plan->micro * plan->replicas) % plan->played == 0);
    stop(loader);
    if (loader->source.reserve != NULL)
        GG_TRY(loader->source.reserve(loader->source.self));
    loader->plan = *plan;
    loader->slots = ring_slots(plan->micro);
    const size_t rows = (size_t)(loader->slots * plan->micro);
    void *tokens = NULL, *ids = NULL;
    gg_status status = gg_try_malloc(rows * (size_t)(loader->source.context + 1) * sizeof(int32_t),
                                     "the look-ahead", &tokens);
    if (status == GG_OK)
        status = gg_try_malloc(rows * sizeof(uint64_t), "the look-ahead", &ids);
    loader->tokens = tokens;
    loader->ids = ids;
    if (status == GG_OK && loader->source.marked)
        status = make_marks(loader, rows * (size_t)loader->source.context);
    if (status == GG_OK)
        status = gg_thread_start(NULL, prefetch, loader, "reads ahead", &loader->thread);
    loader->running = status == GG_OK;
    return status;
}

static void copy_marks(const struct gg_marks *from, const struct gg_marks *to, int64_t inputs) {
    memcpy(to->loss_weights, from->loss_weights, (size_t)inputs * sizeof *to->loss_weights);
    memcpy(to->starts, from->starts, (size_t)inputs * sizeof *to->starts);
    memcpy(to->labels, from->labels, (size_t)inputs * sizeof *to->labels);
    memcpy(to->label_weights, from->label_weights, (size_t)inputs * sizeof *to->label_weights);
}

/* Nothing counts in a row without a sample. */
static void clear_row(const struct gg_micro_batch *to, int64_t row, int64_t context) {
    const struct gg_marks marks = gg_marks_from(&to->marks, row * context);
    memset(to->inputs + row * context, 0, (size_t)context * sizeof *to->inputs);
    memset(to->targets + row * context, 0, (size_t)context * sizeof *to->targets);
    gg_marks_clear(&marks, context);
}

static void copy_out(const gg_loader *loader, int64_t slot, const struct gg_micro_batch *to) {
    const int64_t context = loader->source.context, micro = loader->plan.micro;
    const size_t row_bytes = (size_t)context * sizeof(int32_t);
    for (int64_t row = 0; row < micro; row++) {
        const int64_t at = slot * micro + row;
        const int32_t *tokens = loader->tokens + at * (context + 1);
        if (to->sample_ids != NULL)
            to->sample_ids[row] = loader->ids[at];
        if (loader->ids[at] == GG_LOADER_NO_SAMPLE) {
            clear_row(to, row, context);
            continue;
        }
        memcpy(to->inputs + row * context, tokens, row_bytes);
        memcpy(to->targets + row * context, tokens + 1, row_bytes);
        if (loader->source.marked) {
            const struct gg_marks from = gg_marks_from(&loader->marks, at * context),
                                  into = gg_marks_from(&to->marks, row * context);
            copy_marks(&from, &into, context);
        }
    }
}

gg_status gg_loader_next(gg_loader *loader, const struct gg_micro_batch *to, double *waited_seconds) {
    GG_ASSERT(loader->running && loader->source.marked == (to->marks.loss_weights != NULL));
    if (waited_seconds != NULL)
        *waited_seconds = 0;
    pthread_mutex_lock(&loader->lock);
    if (loader->made == loader->taken && loader->status == GG_OK) {
        const double start = gg_clock_seconds();
        while (loader->made == loader->taken && loader->status == GG_OK)
            pthread_cond_wait(&loader->filled, &loader->lock);
        if (waited_seconds != NULL)
            *waited_seconds = gg_clock_seconds() - start;
    }
    const bool ready = loader->made > loader->taken;
    const gg_status status = loader->status;
    const int64_t slot = loader->taken % loader->slots;
    pthread_mutex_unlock(&loader->lock);
    if (!ready)
        return gg_fail(status, "%s", loader->failure);

    copy_out(loader, slot, to);
    pthread_mutex_lock(&loader->lock);
    loader->taken++;
    pthread_cond_signal(&loader->freed);
    pthread_mutex_unlock(&loader->lock);
    return GG_OK;
}

const struct gg_source *gg_loader_source(const gg_loader *loader) {
    return &loader->source;
}
