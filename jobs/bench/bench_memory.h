/* What memory can do at most, on all ranks and threads at once: the limit of kernels that work out of cache.
 */
#ifndef GG_JOBS_BENCH_BENCH_MEMORY_H
#define GG_JOBS_BENCH_BENCH_MEMORY_H

#include "core/base/arena.h"
#include "mpi/world/world.h"

enum { GG_STREAM_READ, GG_STREAM_WRITE, GG_STREAM_TRIAD, GG_STREAM_UPDATE, GG_STREAMS };

/* What a kernel moves. */
struct gg_bench_traffic {
    double read, written;
    double held; /* bytes of memory that this goes to and from: less than both where an array is updated */
};

struct gg_bench_memory {
    const struct gg_world *world;
    struct gg_arena arena;
    float *a, *b, *c;         /* (elements), neighbours in memory */
    int64_t elements;         /* of each of a rank's three arrays */
    int64_t cache_bytes;      /* behind this rank's cores */
    double huge_share;        /* of the arrays, on huge pages */
    double rates[GG_STREAMS]; /* bytes per second, over all ranks: the best until now */
};

extern const char *const gg_bench_stream_names[GG_STREAMS];

/* Collective over the world; fails alike. GG_RESOURCE: no memory.
 *   memory [out] free with gg_bench_memory_free, also after a failure */
gg_status gg_bench_memory_create(const struct gg_world *world, struct gg_bench_memory *memory) GG_MUST_USE;
void gg_bench_memory_free(struct gg_bench_memory *memory);

/* Measures every stream so many times and keeps the best. To be called several times between what it is the
 * limit of: other work on the node slows memory for seconds. Collective. */
void gg_bench_memory_measure(struct gg_bench_memory *memory, int repeats);

/* The least seconds for so many bytes over all ranks: the longest of what is read at the rate of reading,
 * what is written at the rate of writing, and all of it at the best rate of all streams. A processor that
 * reads and writes at once is faster than one after the other, so that these do not add up. Local. */
double gg_bench_memory_least_seconds(const struct gg_bench_memory *memory,
                                     const struct gg_bench_traffic *traffic);

#endif
