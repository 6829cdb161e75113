/* bfloat16 products from packed tiles, blocked for the caches after Goto and van de Geijn (2008).
 *
 * Parts of A (MOST_M, MOST_K) and B (MOST_K, MOST_N) are packed into panels of 32 by all threads. Blocks of C
 * are then shared out; a block's sums stay in the second-level cache while chunks of k go by, of which a
 * panel of A stays in the first. The next chunk is asked for meanwhile. Each element of C is summed in the
 * same order whatever the threads.
 */
#include "core/kernels/matmul/matmul_bf16.h"
#include "core/kernels/matmul/tile_pack_internal.h"

#include "core/base/memory.h"
#include "core/base/status.h"

#include <omp.h>
#include <stdlib.h>

enum {
    MOST_M = 2048,
    MOST_N = 1024,
    MOST_K = 4096,
    BLOCK_M = 256,
    BLOCK_N = 512,
    CHUNK_STEPS = 8, /* a panel of them takes a third of the first-level cache */
    PANEL_SUMS = GG_PANEL * GG_PANEL,
};

/* What is multiplied now: rows [m, m + rows), columns [n, n + columns), k in [k, k + depth). */
struct part {
    int64_t m, n, k, rows, columns, depth;
    int64_t steps; /* of depth */
    int64_t block_m, block_n;
    bool first, last; /* of the parts of k */
    bool streams;     /* C goes past the caches */
    gg_bf16 *a, *b;
    float *sums; /* of all blocks, or of all threads */
    bool sums_by_block;
};

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t parts_of(int64_t count, int64_t size) {
    return (count + size - 1) / size;
}

/* Where a panel's part of a chunk begins. Chunk by chunk, so that what is used together stands together. */
static int64_t panel_at(int64_t panels, int64_t steps, int64_t panel, int64_t chunk) {
    const int64_t before = chunk * CHUNK_STEPS;
    return (before * panels + panel * smaller(CHUNK_STEPS, steps - before)) * GG_STEP_ELEMENTS;
}

/* Panels of `vectors` vectors: A's rows or B's columns. Shared out among the team. */
static void pack(enum gg_tile_layout layout, const gg_bf16 *values, int64_t stride, bool whole,
                 int64_t vectors, int64_t count, gg_bf16 *panels) {
    const int64_t steps = parts_of(count, GG_STEP), panel_count = parts_of(vectors, GG_PANEL);
    const int64_t outer = whole ? panel_count : steps, inner = whole ? steps : panel_count;
    /* in the order of memory */
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < outer; i++)
        for (int64_t j = 0; j < inner; j++) {
            const int64_t panel = whole ? i : j, step = whole ? j : i;
            const int64_t v = panel * GG_PANEL, k = step * GG_STEP;
            gg_tile_pack(layout, values + (whole ? v * stride + k : k * stride + v), stride, whole,
                         vectors - v, count - k,
                         panels + panel_at(panel_count, steps, panel, step / CHUNK_STEPS) +
                             step % CHUNK_STEPS * GG_STEP_ELEMENTS);
        }
}

static void pack_a(const struct gg_bf16_product *p, const struct part *part) {
    const bool whole = p->transpose_a == GG_PLAIN;
    const int64_t at = whole ? part->m * p->lda + part->k : part->k * p->lda + part->m;
    pack(GG_TILE_ROWS, p->a + at, p->lda, whole, part->rows, part->depth, part->a);
}

static void pack_b(const struct gg_bf16_product *p, const struct part *part) {
    const bool whole = p->transpose_b == GG_TRANSPOSED;
    const int64_t at = whole ? part->n * p->ldb + part->k : part->k * p->ldb + part->n;
    pack(GG_TILE_PAIRS, p->b + at, p->ldb, whole, part->columns, part->depth, part->b);
}

/* A tile's rows into C, all 16 columns. */
GG_KERNEL_BODY void write_tile(enum gg_precision result, bool accumulate, const float *sums, int64_t rows,
                               void *c, int64_t ldc) {
    for (int64_t r = 0; r < rows; r++) {
        void *to = gg_at(result, c, r * ldc);
        gg_floats16 row;
        memcpy(&row, sums + r * GG_TILE, sizeof row);
        if (accumulate)
            row += gg_load16(result, to);
        gg_store16(result, to, row);
    }
}

/* The same into a C that no cache holds; its tiles are aligned. */
static void stream_tile(const float *sums, int64_t rows, float *c, int64_t ldc) {
    for (int64_t r = 0; r < rows; r++) {
        gg_floats16 row;
        memcpy(&row, sums + r * GG_TILE, sizeof row);
        gg_stream16(c + r * ldc, row);
    }
}

/* The same where C has fewer than 16 columns more. */
GG_KERNEL_BODY void write_edge(enum gg_precision result, bool accumulate, const float *sums, int64_t rows,
                               int64_t columns, void *c, int64_t ldc) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < columns; i++) {
            const float before = accumulate ? gg_load(result, c, r * ldc + i) : 0;
            gg_store(result, c, r * ldc + i, before + sums[r * GG_TILE + i]);
        }
}

/* A panel's 32 x 32 sums into C, as much as C has of them. */
static void write_panel(const struct gg_bf16_product *p, bool streams, int64_t m, int64_t n,
                        const float *sums) {
    for (int64_t t = 0; t < 4; t++, sums += GG_TILE * GG_TILE) {
        const int64_t row = m + t / 2 * GG_TILE, column = n + t % 2 * GG_TILE;
        const int64_t rows = smaller(GG_TILE, p->m - row), columns = p->n - column;
        void *c = gg_at(p->result, p->c, row * p->ldc + column);
        if (columns >= GG_TILE && streams)
            stream_tile(sums, rows, c, p->ldc);
        else if (columns >= GG_TILE && p->accumulate)
            GG_SPECIALISE(write_tile, p->result, true, sums, rows, c, p->ldc);
        else if (columns >= GG_TILE)
            GG_SPECIALISE(write_tile, p->result, false, sums, rows, c, p->ldc);
        else if (columns > 0)
            GG_SPECIALISE(write_edge, p->result, p->accumulate, sums, rows, columns, c, p->ldc);
    }
}

/* Asks for some rows of the memory that a panel's sums go to, so that it is near when they are there: every
 * chunk of k asks for its share. */
static void expect_rows(const struct gg_bf16_product *p, int64_t m, int64_t n, int64_t chunk,
                        int64_t chunks) {
    const int64_t rows = smaller(GG_PANEL, p->m - m);
    const int64_t from = rows * chunk / chunks, to = rows * (chunk + 1) / chunks;
    for (int64_t r = from; r < to; r++) {
        const char *c = gg_at(p->result, p->c, (m + r) * p->ldc + n);
        __builtin_prefetch(c, 1);
        if (p->result == GG_PRECISION_FP32)
            __builtin_prefetch(c + 64, 1);
    }
}

/* Memory that is asked for a little at a time, into the second-level cache. */
struct ahead {
    const gg_bf16 *at, *end;
};

static void ask(struct ahead *ahead, int64_t elements) {
    enum { LINE = 32 };
    const gg_bf16 *stop = ahead->at + smaller(elements, ahead->end - ahead->at);
    for (; ahead->at < stop; ahead->at += LINE)
        __builtin_prefetch(ahead->at, 0, 2);
}

/* What is packed of panels [panel, panel_end) and a chunk; nothing behind the last chunk. */
static struct ahead chunk_ahead(const gg_bf16 *packed, int64_t panels, int64_t steps, int64_t panel,
                                int64_t panel_end, int64_t chunk) {
    if (chunk * CHUNK_STEPS >= steps)
        return (struct ahead){packed, packed};
    return (struct ahead){packed + panel_at(panels, steps, panel, chunk),
                          packed + panel_at(panels, steps, panel_end, chunk)};
}

/* Panels [m, m_end) x [n, n_end) of a part. */
static void multiply_block(const struct gg_bf16_product *p, gg_tile_product *product, const struct part *part,
                           int64_t block, int64_t m, int64_t m_end, int64_t n, int64_t n_end) {
    const int64_t a_panels = parts_of(part->rows, GG_PANEL), b_panels = parts_of(part->columns, GG_PANEL);
    const int64_t chunks = parts_of(part->steps, CHUNK_STEPS);
    const int64_t a_share = CHUNK_STEPS * GG_STEP_ELEMENTS / (n_end - n); /* of each product */
    const int64_t b_share = CHUNK_STEPS * GG_STEP_ELEMENTS / (m_end - m);
    float *sums = part->sums + (part->sums_by_block ? block : omp_get_thread_num()) *
                                   (part->block_m * part->block_n * PANEL_SUMS);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        const int64_t steps = smaller(CHUNK_STEPS, part->steps - chunk * CHUNK_STEPS);
        const bool first = part->first && chunk == 0, last = part->last && chunk == chunks - 1;
        struct ahead a = chunk_ahead(part->a, a_panels, part->steps, m, m_end, chunk + 1);
        struct ahead b = chunk_ahead(part->b, b_panels, part->steps, n, n_end, chunk + 1);
        float *at = sums;
        for (int64_t i = m; i < m_end; i++)
            for (int64_t j = n; j < n_end; j++, at += PANEL_SUMS) {
                const int64_t row = part->m + i * GG_PANEL, column = part->n + j * GG_PANEL;
                ask(&a, a_share);
                ask(&b, b_share);
                if (part->last && !part->streams)
                    expect_rows(p, row, column, chunk, chunks);
                product(steps, part->a + panel_at(a_panels, part->steps, i, chunk),
                        part->b + panel_at(b_panels, part->steps, j, chunk), first, at);
                if (last)
                    write_panel(p, part->streams, row, column, at);
            }
    }
}

static void multiply_part(const struct gg_bf16_product *p, gg_tile_product *product,
                          const struct part *part) {
    const int64_t m_panels = parts_of(part->rows, GG_PANEL), n_panels = parts_of(part->columns, GG_PANEL);
    const int64_t m_blocks = parts_of(m_panels, part->block_m), n_blocks = parts_of(n_panels, part->block_n);
#pragma omp for schedule(dynamic)
    for (int64_t block = 0; block < m_blocks * n_blocks; block++) {
        const int64_t m = block % m_blocks * part->block_m, n = block / m_blocks * part->block_n;
        multiply_block(p, product, part, block, m, smaller(m + part->block_m, m_panels), n,
                       smaller(n + part->block_n, n_panels));
    }
}

/* What one thread of the team does. */
static void multiply(const struct gg_bf16_product *p, gg_tile_product *product, struct part part) {
    const bool one_part_of_k = p->k <= MOST_K;
    for (part.m = 0; part.m < p->m; part.m += MOST_M)
        for (part.n = 0; part.n < p->n; part.n += MOST_N)
            for (part.k = 0; part.k < p->k; part.k += MOST_K) {
                part.rows = smaller(MOST_M, p->m - part.m);
                part.columns = smaller(MOST_N, p->n - part.n);
                part.depth = smaller(MOST_K, p->k - part.k);
                part.steps = parts_of(part.depth, GG_STEP);
                part.first = part.k == 0;
                part.last = part.k + MOST_K >= p->k;
                if (!one_part_of_k || part.n == 0)
                    pack_a(p, &part);
                pack_b(p, &part);
#pragma omp barrier
                multiply_part(p, product, &part);
            }
}

/* Float32 results beyond the second-level cache, such as logits; they are aligned to its lines. */
static bool is_streamed(const struct gg_bf16_product *p) {
    const int64_t least = (int64_t)2 << 20;
    return p->result == GG_PRECISION_FP32 && !p->accumulate && p->m * p->n > least && p->ldc % GG_TILE == 0 &&
           (uintptr_t)p->c % 64 == 0;
}

/* A thread's own scratch, which lives as long as the thread. */
static void *scratch_of(size_t bytes) {
    enum { ALIGNMENT = 64 };
    static _Thread_local struct {
        char *memory;
        size_t bytes;
    } mine;
    if (bytes > mine.bytes) {
        free(mine.memory);
        mine.memory = gg_malloc(bytes + ALIGNMENT);
        mine.bytes = bytes;
    }
    return mine.memory + (-(uintptr_t)mine.memory & (ALIGNMENT - 1));
}

/* Blocks so small that every thread has some. */
static void choose_blocks(const struct gg_bf16_product *p, int threads, struct part *part) {
    const int64_t rows = parts_of(smaller(p->m, MOST_M), GG_PANEL);
    const int64_t columns = parts_of(smaller(p->n, MOST_N), GG_PANEL);
    part->block_m = smaller(BLOCK_M / GG_PANEL, rows);
    part->block_n = smaller(BLOCK_N / GG_PANEL, columns);
    while (threads > 1 && part->block_m * part->block_n > 1 &&
           parts_of(rows, part->block_m) * parts_of(columns, part->block_n) < 3 * threads) {
        if (part->block_m >= part->block_n)
            part->block_m = parts_of(part->block_m, 2);
        else
            part->block_n = parts_of(part->block_n, 2);
    }
    part->sums_by_block = p->k > MOST_K;
}

static void lay_out(const struct gg_bf16_product *p, int threads, struct part *part) {
    const int64_t steps = parts_of(smaller(p->k, MOST_K), GG_STEP);
    const int64_t rows = parts_of(smaller(p->m, MOST_M), GG_PANEL);
    const int64_t columns = parts_of(smaller(p->n, MOST_N), GG_PANEL);
    const int64_t a = rows * steps * GG_STEP_ELEMENTS, b = columns * steps * GG_STEP_ELEMENTS;
    const int64_t blocks =
        part->sums_by_block ? parts_of(rows, part->block_m) * parts_of(columns, part->block_n) : threads;
    const int64_t sums = blocks * part->block_m * part->block_n * PANEL_SUMS;
    part->a = scratch_of((size_t)(a + b) * sizeof(gg_bf16) + (size_t)sums * sizeof(float));
    part->b = part->a + a;
    part->sums = (float *)(void *)(part->b + b);
}

void gg_matmul_bf16_tiles(const struct gg_bf16_product *p, gg_tile_product *product) {
    GG_ASSERT(p->k > 0);
    const int threads = omp_in_parallel() ? 1 : omp_get_max_threads();
    struct part part = {.streams = is_streamed(p)};
    choose_blocks(p, threads, &part);
    lay_out(p, threads, &part);
#pragma omp parallel num_threads(threads)
    {
        if (product == gg_tile_product_amx)
            gg_tiles_begin();
        multiply(p, product, part);
        if (part.streams)
            gg_stream_end();
        if (product == gg_tile_product_amx)
            gg_tiles_end();
    }
}
