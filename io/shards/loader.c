#include "io/shards/loader.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/thread.h"
#include "io/shards/shard_source.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    /* Look-ahead: enough rows that a new pool's chunks are decompressed while they last. */
    LOOK_AHEAD_ROWS = 64,
    LOOK_AHEAD_MICRO_BATCHES = 4,
};

struct gg_loader {
    gg_shard_source *shards;
    struct gg_source source; /* of the shards */
    struct gg_loader_plan plan;

    /* The ring of micro-batches, each of B rows of T + 1 tokens, and their sample ids. */
    int64_t slots;
    int32_t *tokens;
    uint64_t *ids;

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

gg_status gg_loader_create(const struct gg_text_list *paths, int64_t context, uint64_t seed, bool shuffle,
                           gg_loader **loader) {
    gg_loader *l = gg_calloc(1, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->filled, NULL);
    pthread_cond_init(&l->freed, NULL);
    const gg_status status = gg_shard_source_open(paths, context, seed, shuffle, &l->shards);
    if (status == GG_OK)
        l->source = gg_shard_source_of(l->shards);
    else
        gg_loader_destroy(&l);
    *loader = l;
    return status;
}

static int64_t ring_slots(int64_t micro) {
    const int64_t slots = (LOOK_AHEAD_ROWS + micro - 1) / micro;
    return slots > LOOK_AHEAD_MICRO_BATCHES ? slots : LOOK_AHEAD_MICRO_BATCHES;
}

static size_t ring_bytes(int64_t context, int64_t micro) {
    const size_t rows = (size_t)(ring_slots(micro) * micro);
    return rows * ((size_t)(context + 1) * sizeof(int32_t) + sizeof(uint64_t));
}

size_t gg_loader_bytes(const gg_loader *loader, const struct gg_loader_plan *plan) {
    return gg_shard_source_bytes(loader->shards) + ring_bytes(loader->source.context, plan->micro);
}

size_t gg_loader_most_bytes(int64_t vocab, int64_t context, int64_t micro) {
    return gg_shard_source_most_bytes(vocab) + ring_bytes(context, micro);
}

/* The sample of row `row` of the plan's micro-batch number `micro_batch`. */
static uint64_t sample_of(const gg_loader *loader, int64_t micro_batch, int64_t row) {
    const struct gg_loader_plan *plan = &loader->plan;
    const int64_t accumulation = plan->sequences / (plan->micro * plan->replicas);
    const int64_t step = micro_batch / accumulation, a = micro_batch % accumulation;
    return (uint64_t)(plan->consumed + step * plan->sequences +
                      (a * plan->replicas + plan->replica) * plan->micro + row);
}

static gg_status fill(gg_loader *loader, int64_t micro_batch) {
    const int64_t window = loader->source.context + 1, slot = micro_batch % loader->slots;
    for (int64_t row = 0; row < loader->plan.micro; row++) {
        int32_t *tokens = loader->tokens + (slot * loader->plan.micro + row) * window;
        uint64_t *id = &loader->ids[slot * loader->plan.micro + row];
        *id = sample_of(loader, micro_batch, row);
        if (*id >= loader->source.end) {
            *id = GG_LOADER_NO_SAMPLE;
            continue;
        }
        GG_TRY(loader->source.read(loader->source.self, *id, tokens));
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
    free(loader->failure);
    loader->tokens = NULL;
    loader->ids = NULL;
    loader->failure = NULL;
    loader->running = loader->stop = false;
    loader->made = loader->taken = 0;
    loader->status = GG_OK;
}

void gg_loader_destroy(gg_loader **loader) {
    if (*loader == NULL)
        return;
    stop(*loader);
    gg_shard_source_close(&(*loader)->shards);
    pthread_cond_destroy(&(*loader)->freed);
    pthread_cond_destroy(&(*loader)->filled);
    pthread_mutex_destroy(&(*loader)->lock);
    free(*loader);
    *loader = NULL;
}

gg_status gg_loader_start(gg_loader *loader, const struct gg_loader_plan *plan) {
    GG_ASSERT(plan->micro > 0 && plan->replicas > 0 && plan->sequences > 0 && plan->consumed >= 0);
    GG_ASSERT(plan->replica >= 0 && plan->replica < plan->replicas);
    if (plan->sequences % plan->micro != 0 || plan->sequences / plan->micro % plan->replicas != 0)
        return gg_fail(GG_USAGE,
                       "batch.sequences (%lld) must be a multiple of batch.micro (%lld) times the number of "
                       "replicas (%d)",
                       (long long)plan->sequences, (long long)plan->micro, plan->replicas);
    stop(loader);
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
    if (status == GG_OK)
        status = gg_thread_start(NULL, prefetch, loader, "reads ahead", &loader->thread);
    loader->running = status == GG_OK;
    return status;
}

static void copy_out(const gg_loader *loader, int64_t slot, int32_t *inputs, int32_t *targets,
                     uint64_t *sample_ids) {
    const int64_t context = loader->source.context, micro = loader->plan.micro;
    const size_t row_bytes = (size_t)context * sizeof(int32_t);
    for (int64_t row = 0; row < micro; row++) {
        const int32_t *tokens = loader->tokens + (slot * micro + row) * (context + 1);
        const uint64_t id = loader->ids[slot * micro + row];
        if (id == GG_LOADER_NO_SAMPLE) {
            memset(inputs + row * context, 0, row_bytes);
            memset(targets + row * context, 0, row_bytes);
        } else {
            memcpy(inputs + row * context, tokens, row_bytes);
            memcpy(targets + row * context, tokens + 1, row_bytes);
        }
        if (sample_ids != NULL)
            sample_ids[row] = id;
    }
}

gg_status gg_loader_next(gg_loader *loader, int32_t *inputs, int32_t *targets, uint64_t *sample_ids,
                         double *waited_seconds) {
    GG_ASSERT(loader->running);
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

    copy_out(loader, slot, inputs, targets, sample_ids);
    pthread_mutex_lock(&loader->lock);
    loader->taken++;
    pthread_cond_signal(&loader->freed);
    pthread_mutex_unlock(&loader->lock);
    return GG_OK;
}

int64_t gg_loader_samples(const gg_loader *loader) {
    return gg_shard_source_samples(loader->shards);
}

int64_t gg_loader_vocab(const gg_loader *loader) {
    return gg_shard_source_set(loader->shards)->vocab;
}

uint64_t gg_loader_fingerprint(const gg_loader *loader) {
    return gg_shard_source_set(loader->shards)->fingerprint;
}

double gg_loader_text_bytes_per_token(const gg_loader *loader) {
    const struct gg_shard_set *set = gg_shard_source_set(loader->shards);
    return set->tokens > 0 ? (double)set->text_bytes / (double)set->tokens : 0;
}

uint64_t gg_loader_data_fingerprint(const gg_loader *loader) {
    const struct gg_shard_set *set = gg_shard_source_set(loader->shards);
    uint64_t hash = XXH3_64bits(&set->fingerprint, sizeof set->fingerprint);
    for (int64_t i = 0; i < set->count; i++) {
        const uint64_t shard[2] = {gg_shard_fingerprint(set->shards[i]), hash};
        hash = XXH3_64bits(shard, sizeof shard);
    }
    return hash;
}
