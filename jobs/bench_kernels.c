#include "jobs/bench_kernels.h"

#include "core/base/clock.h"
#include "core/kernels/triad.h"
#include "core/plan/legality.h"
#include "jobs/bench_kernel_list.h"
#include "jobs/precision.h"
#include "jobs/statistics.h"
#include "mpi/topology.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_REPEATS = 100 };

struct bench {
    const struct gg_world *world;
    struct gg_topology topology;
    struct gg_bench_arrays arrays;
    int repeats;
    bool json;
    json_t *rows;
    double triad; /* bytes per second, over all ranks */
};

struct measurement {
    double seconds, spread; /* of the slowest rank */
    double rate;            /* bytes per second, over all ranks */
};

/* All ranks at once, after a run that warms up. */
static struct measurement measure(const struct bench *b, const struct gg_bench_kernel *kernel) {
    double seconds[MAX_REPEATS], bytes = kernel->bytes(&b->arrays);
    kernel->run(&b->arrays);
    for (int i = 0; i < b->repeats; i++) {
        MPI_Barrier(b->world->comm);
        const double begin = gg_clock_seconds();
        kernel->run(&b->arrays);
        seconds[i] = gg_clock_seconds() - begin;
        MPI_Allreduce(MPI_IN_PLACE, &seconds[i], 1, MPI_DOUBLE, MPI_MAX, b->world->comm);
    }
    MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_SUM, b->world->comm);
    struct measurement m = {.seconds = gg_median(seconds, b->repeats)};
    m.spread = gg_spread(seconds, b->repeats);
    m.rate = bytes / m.seconds;
    return m;
}

/* Bytes of the largest cache; a guess where the system does not tell. */
static int64_t cache_bytes(void) {
    static const int levels[] = {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE};
    for (int i = 0; i < 3; i++)
        if (sysconf(levels[i]) > 0)
            return sysconf(levels[i]);
    return (int64_t)32 << 20;
}

/* Elements of each of a rank's three arrays: all arrays of the node's ranks are four times its largest cache,
 * but of a rank at least 192 MiB and at most 768. */
static int64_t triad_elements(const struct gg_world *world) {
    const int64_t least = (int64_t)192 << 20, most = (int64_t)768 << 20;
    MPI_Comm node;
    int ranks;
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &ranks);
    MPI_Comm_free(&node);
    int64_t bytes = 4 * cache_bytes() / ranks;
    bytes = bytes < least ? least : bytes > most ? most : bytes;
    MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_INT64_T, MPI_MAX, world->comm);
    return bytes / 3 / (int64_t)sizeof(float);
}

static const struct gg_bench_kernel *reference(void) {
    return &gg_bench_groups[0].kernels[0];
}

static void print_head(const struct bench *b) {
    const struct gg_bench_arrays *a = &b->arrays;
    printf("%lld tokens x %lld features on each rank, in %s; %d ranks x %d threads, all at once; medians of "
           "%d after "
           "one that warms up\n",
           (long long)a->tokens, (long long)a->width, gg_precision_names[a->stored], b->world->size,
           omp_get_max_threads(), b->repeats);
    printf("triad: three arrays of %.1f MB on each rank; the largest cache has %.1f MB\n",
           4e-6 * (double)a->triad_elements, 1e-6 * (double)cache_bytes());
    printf("%-24s %12s %10s %9s %9s %8s\n", "kernel", "at least MB", "ms", "GB/s", "of triad", "spread");
}

static void report(struct bench *b, const struct gg_bench_kernel *kernel, const struct measurement *m) {
    const double bytes = kernel->bytes(&b->arrays);
    if (b->world->rank != 0)
        return;
    if (b->json)
        json_array_append_new(b->rows,
                              json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "name", kernel->name, "bytes",
                                        bytes, "seconds", m->seconds, "gb_s", 1e-9 * m->rate, "share",
                                        m->rate / b->triad, "spread", m->spread));
    else
        printf("%-24s %12.1f %10.3f %9.1f %8.0f%% %7.0f%%\n", kernel->name, 1e-6 * bytes, 1e3 * m->seconds,
               1e-9 * m->rate, 100 * m->rate / b->triad, 100 * m->spread);
}

static void print_end(const struct bench *b) {
    if (b->json) {
        json_t *all = json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:i, s:O}", "precision",
                                gg_precision_names[b->arrays.stored], "ranks", b->world->size, "threads",
                                omp_get_max_threads(), "tokens", (json_int_t)b->arrays.tokens, "width",
                                (json_int_t)b->arrays.width, "cache_bytes", (json_int_t)cache_bytes(),
                                "repeats", b->repeats, "kernels", b->rows);
        json_dumpf(all, stdout, JSON_REAL_PRECISION(9));
        putchar('\n');
        json_decref(all);
    } else {
        printf("At least: an array that is read or written counts once, one that is read and written twice. "
               "What stands "
               "in a cache\nfrom one run to the next may be faster than the triad.\n");
    }
}

static gg_status run_group(struct bench *b, const struct gg_bench_group *group) {
    struct gg_bench_arrays *a = &b->arrays;
    group->lay_out(a);
    gg_status status = gg_agree(b->world->comm, gg_arena_allocate(&a->arena, group->what));
    if (status == GG_OK)
        group->lay_out(a);
    for (int i = 0; status == GG_OK && i < group->count; i++) {
        const struct gg_bench_kernel *kernel = &group->kernels[i];
        if (kernel->bf16_only && a->stored != GG_PRECISION_BF16)
            continue;
        const struct measurement m = measure(b, kernel);
        if (kernel == reference())
            b->triad = m.rate;
        report(b, kernel, &m);
    }
    gg_arena_free(&a->arena);
    return status;
}

/* The shapes of a rank. */
static gg_status choose_shapes(struct bench *b, const struct gg_settings *settings, int64_t vocab) {
    struct gg_bench_arrays *a = &b->arrays;
    a->fabric = gg_fabric_local();
    a->fabric.shards.feature_shards = b->topology.shards.feature_shards;
    a->fabric.shards.feature_index = b->topology.shards.feature_index;
    a->fabric.shards.token_shards = b->topology.shards.token_shards;
    a->fabric.shards.token_index = b->topology.shards.token_index;
    struct gg_model_config config;
    GG_TRY(gg_model_configure(settings, vocab, &b->topology.shards, &config));
    GG_TRY(gg_precision_choose(b->world, config.precision, (enum gg_fallback)settings->compute.fallback,
                               &config.precision));
    gg_graph_make(&config, &b->topology.shards, &a->graph);
    a->stored = config.precision;
    a->tokens = settings->batch.micro / b->topology.shards.token_shards * config.context;
    a->width = config.width / b->topology.shards.feature_shards;
    a->head_tokens = gg_head_tokens(&a->graph, a->tokens);
    a->local_vocab = config.padded_vocab / b->topology.shards.feature_shards;
    a->embedding_rows = config.padded_vocab / b->topology.shards.token_shards;
    a->triad_elements = triad_elements(b->world);
    return GG_OK;
}

gg_status gg_bench_kernels(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                           int repeats, bool json) {
    struct bench b = {.world = world,
                      .repeats = repeats < MAX_REPEATS ? repeats : MAX_REPEATS,
                      .json = json,
                      .rows = json_array()};
    struct gg_place place;
    gg_status status = gg_legality_grid(settings, world->size, world->rank, &place);
    if (status == GG_OK) {
        gg_topology_create(world, &place, &b.topology);
        status = choose_shapes(&b, settings, vocab);
    }
    if (status == GG_OK && world->rank == 0 && !json)
        print_head(&b);
    for (int i = 0; status == GG_OK && i < GG_BENCH_GROUPS; i++)
        status = run_group(&b, &gg_bench_groups[i]);
    if (status == GG_OK && world->rank == 0)
        print_end(&b);
    json_decref(b.rows);
    gg_graph_free(&b.arrays.graph);
    gg_topology_free(&b.topology);
    return status;
}
