/* The kernels of a model that work element by element: each with the arrays it works on and the bytes that it
 * must move: what `gridgpt bench --kernels` measures.
 */
#ifndef GG_JOBS_BENCH_BENCH_KERNEL_LIST_H
#define GG_JOBS_BENCH_BENCH_KERNEL_LIST_H

#include "core/base/arena.h"
#include "core/kernels/storage.h"
#include "core/model/model.h"
#include "jobs/bench/bench_memory.h"

#include <stdbool.h>

/* Shapes of a rank, and the arrays of one group of kernels at a time. */
struct gg_bench_arrays {
    const struct gg_graph *graph;
    struct gg_fabric fabric; /* its shape; kernels work alone */
    enum gg_precision stored;
    int64_t tokens, width; /* of a micro-batch, this rank's */
    int64_t head_tokens, local_vocab, embedding_rows;

    struct gg_arena arena;
    void *x, *y, *d_x, *d_y;                           /* (tokens, 4 width): the widest activation */
    float *stats, *sums;                               /* (tokens, 2), (tokens, 2) */
    float *vector, *other;                             /* (4 width) */
    int32_t *ids;                                      /* (tokens) */
    float *embeddings;                                 /* (embedding_rows, width): operand or gradient */
    float *positions;                                  /* (context, width) */
    float *logits, *largest;                           /* (head_tokens, local_vocab), (head_tokens) */
    float *weights, *gradients, *exp_avg, *exp_avg_sq; /* (local_elements) */
    gg_bf16 *rounded;                                  /* (local_elements), or NULL in fp32 */
};

struct gg_bench_kernel {
    const char *name;
    void (*run)(const struct gg_bench_arrays *arrays);
    /* What it must move: each array that it reads counts once, and each that it writes; vectors and numbers
     * per token, which stay in cache, do not count. */
    struct gg_bench_traffic (*traffic)(const struct gg_bench_arrays *arrays);
    bool bf16_only;
};

/* Kernels that share arrays. */
struct gg_bench_group {
    const char *what;                                /* for a message */
    void (*lay_out)(struct gg_bench_arrays *arrays); /* takes the arrays from the arena */
    const struct gg_bench_kernel *kernels;
    int count;
};

enum { GG_BENCH_GROUPS = 4 };
extern const struct gg_bench_group gg_bench_groups[GG_BENCH_GROUPS];

#endif
