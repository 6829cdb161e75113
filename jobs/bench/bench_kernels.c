#include "jobs/bench/bench_kernels.h"

#include "core/base/clock.h"
#include "core/model/graph_figures.h"
#include "jobs/bench/bench_kernel_list.h"
#include "jobs/bench/bench_memory.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/statistics.h"
#include "jobs/replica/replica.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>

enum { MAX_REPEATS = 100, MAX_KERNELS = 32 };

/* More than this share of the limit wants a reason. */
static const double MOST_SHARE = 1.05;

struct measurement {
    const char *name;
    struct gg_bench_traffic mine, all; /* of a rank; of all */
    double seconds, spread;            /* of the slowest rank */
};

struct bench {
    const struct gg_world *world;
    struct gg_replica replica; /* shaped, not opened */
    struct gg_bench_arrays arrays;
    struct gg_bench_memory memory;
    struct measurement measured[MAX_KERNELS];
    int count, repeats;
};

/* All ranks at once, after a run that warms up. */
static void measure(struct bench *b, const struct gg_bench_kernel *kernel) {
    double seconds[MAX_REPEATS];
    kernel->run(&b->arrays);
    for (int i = 0; i < b->repeats; i++) {
        MPI_Barrier(b->world->comm);
        const double begin = gg_clock_seconds();
        kernel->run(&b->arrays);
        seconds[i] = gg_clock_seconds() - begin;
        MPI_Allreduce(MPI_IN_PLACE, &seconds[i], 1, MPI_DOUBLE, MPI_MAX, b->world->comm);
    }
    GG_ASSERT(b->count < MAX_KERNELS);
    struct measurement *m = &b->measured[b->count++];
    m->name = kernel->name;
    m->mine = kernel->traffic(&b->arrays);
    double traffic[] = {m->mine.read, m->mine.written, m->mine.held};
    MPI_Allreduce(MPI_IN_PLACE, traffic, 3, MPI_DOUBLE, MPI_SUM, b->world->comm);
    m->all = (struct gg_bench_traffic){traffic[0], traffic[1], traffic[2]};
    m->seconds = gg_median(seconds, b->repeats);
    m->spread = gg_spread(seconds, b->repeats);
}

/* Of the limit. */
static double share_of(const struct bench *b, const struct measurement *m) {
    return gg_bench_memory_least_seconds(&b->memory, &m->all) / m->seconds;
}

/* Why a kernel is faster than memory; empty where it is not. */
static void reason_of(const struct bench *b, const struct measurement *m, char *text, size_t bytes) {
    const double cache = (double)b->memory.cache_bytes;
    text[0] = '\0';
    if (share_of(b, m) <= MOST_SHARE)
        return;
    if (m->mine.held < 4 * cache)
        snprintf(text, bytes, "in cache: %s of its %.1f MB%s", m->mine.held < cache ? "all" : "a part",
                 1e-6 * m->mine.held, m->mine.held < cache ? "" : " from run to run");
    else
        snprintf(text, bytes, "memory was slower when its limit was measured: other work on the node?");
}

static void print_head(const struct bench *b) {
    const struct gg_bench_arrays *a = &b->arrays;
    const struct gg_bench_memory *m = &b->memory;
    printf("%lld tokens x %lld features on each rank, in %s; %d ranks x %d threads, all at once; medians of "
           "%d after one that warms up\n",
           (long long)a->tokens, (long long)a->width, gg_precision_names[a->stored], b->world->size,
           omp_get_max_threads(), b->repeats);
    printf("memory, best of %d, three arrays of %.1f MB on each rank (%.0f%% on huge pages) beside caches of "
           "%.1f MB:\n ",
           b->repeats * (GG_BENCH_GROUPS + 1), 4e-6 * (double)m->elements, 100 * m->huge_share,
           1e-6 * (double)m->cache_bytes);
    for (int i = 0; i < GG_STREAMS; i++)
        printf(" %s %.1f GB/s%s", gg_bench_stream_names[i], 1e-9 * m->rates[i],
               i + 1 < GG_STREAMS ? "," : "\n");
    printf("%-24s %10s %10s %10s %8s %9s %8s\n", "kernel", "read MB", "written MB", "ms", "GB/s", "of limit",
           "spread");
}

static void print_rows(const struct bench *b) {
    print_head(b);
    for (int i = 0; i < b->count; i++) {
        const struct measurement *m = &b->measured[i];
        char reason[128];
        reason_of(b, m, reason, sizeof reason);
        printf("%-24s %10.1f %10.1f %10.3f %8.1f %8.0f%% %7.0f%%%s%s\n", m->name, 1e-6 * m->mine.read,
               1e-6 * m->mine.written, 1e3 * m->seconds, 1e-9 * (m->all.read + m->all.written) / m->seconds,
               100 * share_of(b, m), 100 * m->spread, reason[0] != '\0' ? "  " : "", reason);
    }
    printf(
        "limit: the longest of bytes read / rate of read, bytes written / rate of write, all bytes / best "
        "rate of the four.\nA kernel's bytes are the least it must move: an array that is read counts once, "
        "and one that is written.\n");
}

static json_t *row_json(const struct bench *b, const struct measurement *m) {
    char reason[128];
    reason_of(b, m, reason, sizeof reason);
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s*}", "name", m->name, "read_bytes",
                     m->mine.read, "written_bytes", m->mine.written, "held_bytes", m->mine.held, "seconds",
                     m->seconds, "gb_s", 1e-9 * (m->all.read + m->all.written) / m->seconds, "limit_s",
                     gg_bench_memory_least_seconds(&b->memory, &m->all), "share", share_of(b, m), "spread",
                     m->spread, "reason", reason[0] != '\0' ? reason : NULL);
}

static void print_json(const struct bench *b) {
    const struct gg_bench_memory *m = &b->memory;
    json_t *rows = json_array();
    for (int i = 0; i < b->count; i++)
        json_array_append_new(rows, row_json(b, &b->measured[i]));
    json_t *memory =
        json_pack("{s:f, s:f, s:f, s:f, s:I, s:f}", "read_gb_s", 1e-9 * m->rates[GG_STREAM_READ],
                  "write_gb_s", 1e-9 * m->rates[GG_STREAM_WRITE], "triad_gb_s",
                  1e-9 * m->rates[GG_STREAM_TRIAD], "update_gb_s", 1e-9 * m->rates[GG_STREAM_UPDATE],
                  "array_bytes", (json_int_t)(m->elements * (int64_t)sizeof(float)), "huge_share",
                  m->huge_share);
    json_t *all = json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:i, s:o, s:o}", "precision",
                            gg_precision_names[b->arrays.stored], "ranks", b->world->size, "threads",
                            omp_get_max_threads(), "tokens", (json_int_t)b->arrays.tokens, "width",
                            (json_int_t)b->arrays.width, "cache_bytes", (json_int_t)m->cache_bytes, "repeats",
                            b->repeats, "memory", memory, "kernels", rows);
    GG_ASSERT(all != NULL);
    json_dumpf(all, stdout, JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(all);
}

static gg_status run_group(struct bench *b, const struct gg_bench_group *group) {
    struct gg_bench_arrays *a = &b->arrays;
    group->lay_out(a);
    gg_status status = gg_agree(b->world->comm, gg_arena_allocate(&a->arena, group->what));
    if (status == GG_OK)
        group->lay_out(a);
    for (int i = 0; status == GG_OK && i < group->count; i++)
        if (!group->kernels[i].bf16_only || a->stored == GG_PRECISION_BF16)
            measure(b, &group->kernels[i]);
    gg_arena_free(&a->arena);
    return status;
}

/* Every group, and memory before, between and behind them. */
static gg_status run_groups(struct bench *b) {
    GG_TRY(gg_bench_memory_create(b->world, &b->memory));
    gg_bench_memory_measure(&b->memory, b->repeats);
    for (int i = 0; i < GG_BENCH_GROUPS; i++) {
        GG_TRY(run_group(b, &gg_bench_groups[i]));
        gg_bench_memory_measure(&b->memory, b->repeats);
    }
    return GG_OK;
}

/* The shapes of a rank. */
static gg_status choose_shapes(struct bench *b, const struct gg_settings *settings, int64_t vocab) {
    struct gg_bench_arrays *a = &b->arrays;
    struct gg_replica *r = &b->replica;
    enum gg_precision precision;
    GG_TRY(gg_replica_place(b->world, settings, r));
    GG_TRY(gg_precision_choose(b->world, (enum gg_precision)settings->compute.precision,
                               (enum gg_fallback)settings->compute.fallback, &precision));
    GG_TRY(gg_replica_shape(r, vocab, precision, false));
    const struct gg_shards *shards = &r->topology.shards;
    const struct gg_model_config *config = &r->graph.config;
    a->fabric = gg_fabric_local();
    a->fabric.shards = *shards;
    a->graph = &r->graph;
    a->stored = precision;
    a->tokens = settings->batch.micro / shards->token_shards * config->context;
    a->width = config->width / shards->feature_shards;
    a->head_tokens = gg_head_tokens(&r->graph, a->tokens);
    a->local_vocab = config->padded_vocab / shards->feature_shards;
    a->embedding_rows = config->padded_vocab / shards->token_shards;
    return GG_OK;
}

gg_status gg_bench_kernels(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                           int repeats, bool json) {
    struct bench b = {.world = world, .repeats = repeats < MAX_REPEATS ? repeats : MAX_REPEATS};
    gg_status status = choose_shapes(&b, settings, vocab);
    if (status == GG_OK)
        status = run_groups(&b);
    if (status == GG_OK && world->rank == 0)
        (json ? print_json : print_rows)(&b);
    gg_bench_memory_free(&b.memory);
    gg_replica_close(&b.replica);
    return status;
}
