#include "jobs/bench/bench_memory.h"

#include "core/base/clock.h"
#include "core/kernels/streams.h"
#include "jobs/launch/largest_cache.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const gg_bench_stream_names[] = {"read", "write", "triad a = b + s c", "update a = s a"};

/* Elements of each of a rank's three arrays: all arrays of the node's ranks are four times its largest
 * caches, but of a rank at least 192 MiB and at most 2 GiB. */
static int64_t choose_elements(const struct gg_world *world, int64_t cache_bytes) {
    const int64_t least = (int64_t)192 << 20, most = (int64_t)2 << 30;
    MPI_Comm node;
    int ranks;
    cpu_set_t mine;
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &ranks);
    MPI_Comm_free(&node);
    /* Ranks that are bound to cores have caches of their own, or share those of fewer. */
    const bool bound =
        sched_getaffinity(0, sizeof mine, &mine) == 0 && CPU_COUNT(&mine) < sysconf(_SC_NPROCESSORS_ONLN);
    int64_t bytes = 4 * cache_bytes / (bound ? 1 : ranks);
    bytes = bytes < least ? least : bytes > most ? most : bytes;
    MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_INT64_T, MPI_MAX, world->comm);
    return bytes / 3 / 4096 * 4096 / (int64_t)sizeof(float);
}

static void lay_out(struct gg_bench_memory *m) {
    m->a = gg_arena_floats(&m->arena, m->elements);
    m->b = gg_arena_floats(&m->arena, m->elements);
    m->c = gg_arena_floats(&m->arena, m->elements);
}

/* Bytes of this process on huge pages; 0 where Linux does not tell. */
static double huge_bytes(void) {
    char line[256];
    long long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "AnonHugePages: %lld", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return 1024.0 * (double)kib;
}

gg_status gg_bench_memory_create(const struct gg_world *world, struct gg_bench_memory *memory) {
    *memory = (struct gg_bench_memory){.world = world, .cache_bytes = gg_largest_cache_bytes()};
    memory->elements = choose_elements(world, memory->cache_bytes);
    const double before = huge_bytes();
    lay_out(memory);
    GG_TRY(gg_agree(world->comm, gg_arena_allocate(&memory->arena, "the streams")));
    lay_out(memory);
    const double share = (huge_bytes() - before) / (double)memory->arena.capacity_bytes;
    memory->huge_share = share < 0 ? 0 : share > 1 ? 1 : share;
    MPI_Allreduce(MPI_IN_PLACE, &memory->huge_share, 1, MPI_DOUBLE, MPI_MIN, world->comm);
    return GG_OK;
}

void gg_bench_memory_free(struct gg_bench_memory *memory) {
    gg_arena_free(&memory->arena);
}

/* A pass over the arrays is measured in slices: where other work takes the core away now and then, one of
 * them stays whole. What a slice touches is long out of cache when its turn comes again. */
enum { SLICES = 4 };

/* Runs a stream over a slice of all three arrays; bytes that it moves. */
static double run_slice(const struct gg_bench_memory *m, int stream, int slice) {
    static volatile float sink;
    const int64_t count = m->elements / SLICES, at = slice * count;
    const double array = (double)count * sizeof(float);
    switch (stream) {
    case GG_STREAM_READ:
        sink = gg_stream_read(m->a + 3 * at, 3 * count);
        (void)sink;
        return 3 * array;
    case GG_STREAM_WRITE:
        gg_stream_write(m->a + 3 * at, 1, 3 * count);
        return 3 * array;
    case GG_STREAM_TRIAD:
        gg_stream_triad(m->a + at, m->b + at, m->c + at, 0.5F, count);
        return 3 * array;
    default:
        gg_stream_update(m->a + 3 * at, 1, 3 * count);
        return 6 * array;
    }
}

static void run_pass(struct gg_bench_memory *m, int stream, bool counts) {
    double seconds[SLICES], bytes = 0;
    for (int slice = 0; slice < SLICES; slice++) {
        MPI_Barrier(m->world->comm);
        const double begin = gg_clock_seconds();
        bytes = run_slice(m, stream, slice);
        seconds[slice] = gg_clock_seconds() - begin;
    }
    MPI_Allreduce(MPI_IN_PLACE, seconds, SLICES, MPI_DOUBLE, MPI_MAX, m->world->comm);
    MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_SUM, m->world->comm);
    for (int slice = 0; counts && slice < SLICES; slice++)
        if (bytes / seconds[slice] > m->rates[stream])
            m->rates[stream] = bytes / seconds[slice];
}

/* A stream's first pass does not count: it finds in cache what another left there, clean or still to be
 * written. */
void gg_bench_memory_measure(struct gg_bench_memory *memory, int repeats) {
    for (int stream = 0; stream < GG_STREAMS; stream++)
        for (int pass = -1; pass < repeats; pass++)
            run_pass(memory, stream, pass >= 0);
}

/* The best rate of the streams, whatever they read and write. */
static double total_rate(const struct gg_bench_memory *memory) {
    double best = 0;
    for (int stream = 0; stream < GG_STREAMS; stream++)
        best = memory->rates[stream] > best ? memory->rates[stream] : best;
    return best;
}

double gg_bench_memory_least_seconds(const struct gg_bench_memory *memory,
                                     const struct gg_bench_traffic *traffic) {
    const double reading = traffic->read / memory->rates[GG_STREAM_READ];
    const double writing = traffic->written / memory->rates[GG_STREAM_WRITE];
    const double all = (traffic->read + traffic->written) / total_rate(memory);
    const double longer = reading > writing ? reading : writing;
    return longer > all ? longer : all;
}
