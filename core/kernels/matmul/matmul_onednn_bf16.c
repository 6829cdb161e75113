/* bfloat16 products on oneDNN's matmul primitive, through the C API of v2 or v3.
 *
 * A primitive is code made for one shape, and making it costs milliseconds. Each thread keeps its own, with
 * the memory objects it runs on, so that a call takes no lock. Inside an OpenMP parallel region the library
 * is told that there is one thread: it must not share out work to threads that will not come.
 */
#include "core/kernels/matmul/matmul_bf16.h"

#include "core/base/memory.h"
#include "core/kernels/matmul/onednn_check.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>

#define CHECK(call) gg_onednn_check((call), #call, __FILE__, __LINE__)

/* What a primitive is made for. All members are 64 bits wide: it is compared and hashed as bytes. */
struct shape {
    int64_t m, n, k, lda, ldb, ldc;
    int64_t transpose_a, transpose_b, accumulate, result, threads;
};

struct ready {
    struct shape shape;
    dnnl_primitive_t primitive; /* NULL: a free place */
    dnnl_memory_t a, b, c, scratch;
    size_t scratch_bytes;
};

enum { PLACES = 1024, MOST = 768 }; /* of the table, a power of 2, and taken of it at once */

/* A thread's own. */
static _Thread_local struct {
    struct ready *table;
    int count;
    void *scratch;
    size_t scratch_bytes;
} mine;

/* Made once, by whoever comes first, and never freed. */
static dnnl_engine_t engine;
static _Thread_local dnnl_stream_t stream;

static uint64_t hash(const struct shape *shape) {
    const int64_t *words = (const int64_t *)shape;
    uint64_t h = 0;
    for (size_t i = 0; i < sizeof *shape / sizeof *words; i++) {
        h = (h ^ (uint64_t)words[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t description;

static description describe(dnnl_data_type_t type, int64_t rows, int64_t columns, int64_t row_stride,
                            int64_t column_stride) {
    const dnnl_dims_t sizes = {rows, columns}, strides = {row_stride, column_stride};
    description made;
    CHECK(dnnl_memory_desc_create_with_strides(&made, 2, sizes, type, strides));
    return made;
}

static void forget(description *d) {
    CHECK(dnnl_memory_desc_destroy(*d));
}

static dnnl_memory_t memory_of(const description *d) {
    dnnl_memory_t made;
    CHECK(dnnl_memory_create(&made, *d, engine, DNNL_MEMORY_NONE));
    return made;
}

static void append_sum(dnnl_post_ops_t operations) {
    CHECK(dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef));
}

static dnnl_primitive_desc_t plan(const description *a, const description *b, const description *c,
                                  dnnl_primitive_attr_t attributes) {
    dnnl_primitive_desc_t made;
    CHECK(dnnl_matmul_primitive_desc_create(&made, engine, *a, *b, NULL, *c, attributes));
    return made;
}

static dnnl_memory_t scratch_memory(const_dnnl_memory_desc_t d) {
    dnnl_memory_t made;
    CHECK(dnnl_memory_create(&made, d, engine, DNNL_MEMORY_NONE));
    return made;
}
#else
typedef dnnl_memory_desc_t description;
typedef const dnnl_memory_desc_t *const_dnnl_memory_desc_t;

static description describe(dnnl_data_type_t type, int64_t rows, int64_t columns, int64_t row_stride,
                            int64_t column_stride) {
    const dnnl_dims_t sizes = {rows, columns}, strides = {row_stride, column_stride};
    description made;
    CHECK(dnnl_memory_desc_init_by_strides(&made, 2, sizes, type, strides));
    return made;
}

static void forget(description *d) {
    (void)d;
}

static dnnl_memory_t memory_of(const description *d) {
    dnnl_memory_t made;
    CHECK(dnnl_memory_create(&made, d, engine, DNNL_MEMORY_NONE));
    return made;
}

static void append_sum(dnnl_post_ops_t operations) {
    CHECK(dnnl_post_ops_append_sum(operations, 1));
}

static dnnl_primitive_desc_t plan(const description *a, const description *b, const description *c,
                                  dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t product;
    dnnl_primitive_desc_t made;
    CHECK(dnnl_matmul_desc_init(&product, a, b, NULL, c));
    CHECK(dnnl_primitive_desc_create(&made, &product, attributes, engine, NULL));
    return made;
}

static dnnl_memory_t scratch_memory(const_dnnl_memory_desc_t d) {
    return memory_of(d);
}
#endif

/* A row-major matrix of `rows` x `columns`, or the transposed of one of `columns` x `rows`. */
static description describe_operand(int64_t rows, int64_t columns, int64_t transposed, int64_t stride) {
    return describe(dnnl_bf16, rows, columns, transposed ? 1 : stride, transposed ? stride : 1);
}

/* The scratch is ours, one for all primitives of the thread, and not one each. */
static void make_ready(const struct shape *s, struct ready *r) {
    dnnl_primitive_attr_t attributes;
    CHECK(dnnl_primitive_attr_create(&attributes));
    CHECK(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user));
    if (s->accumulate) {
        dnnl_post_ops_t operations;
        CHECK(dnnl_post_ops_create(&operations));
        append_sum(operations);
        CHECK(dnnl_primitive_attr_set_post_ops(attributes, operations));
        CHECK(dnnl_post_ops_destroy(operations));
    }
    description a = describe_operand(s->m, s->k, s->transpose_a, s->lda);
    description b = describe_operand(s->k, s->n, s->transpose_b, s->ldb);
    description c = describe(s->result == GG_PRECISION_BF16 ? dnnl_bf16 : dnnl_f32, s->m, s->n, s->ldc, 1);
    dnnl_primitive_desc_t planned = plan(&a, &b, &c, attributes);
    const_dnnl_memory_desc_t scratch = dnnl_primitive_desc_query_md(planned, dnnl_query_scratchpad_md, 0);
    *r = (struct ready){.shape = *s, .scratch_bytes = dnnl_memory_desc_get_size(scratch)};
    CHECK(dnnl_primitive_create(&r->primitive, planned));
    r->a = memory_of(&a);
    r->b = memory_of(&b);
    r->c = memory_of(&c);
    r->scratch = scratch_memory(scratch);
    CHECK(dnnl_primitive_desc_destroy(planned));
    CHECK(dnnl_primitive_attr_destroy(attributes));
    forget(&a);
    forget(&b);
    forget(&c);
}

static void release(struct ready *r) {
    if (r->primitive == NULL)
        return;
    CHECK(dnnl_primitive_destroy(r->primitive));
    const dnnl_memory_t memories[] = {r->a, r->b, r->c, r->scratch};
    for (int i = 0; i < 4; i++)
        CHECK(dnnl_memory_destroy(memories[i]));
    *r = (struct ready){0};
}

/* A training run has some tens of shapes; whoever has hundreds (prompts of every length) begins anew. */
static struct ready *find_or_make(const struct shape *shape) {
    if (mine.count >= MOST) {
        for (int i = 0; i < PLACES; i++)
            release(&mine.table[i]);
        mine.count = 0;
    }
    uint64_t place = hash(shape) % PLACES;
    while (mine.table[place].primitive != NULL) {
        if (memcmp(&mine.table[place].shape, shape, sizeof *shape) == 0)
            return &mine.table[place];
        place = (place + 1) % PLACES;
    }
    make_ready(shape, &mine.table[place]);
    mine.count++;
    return &mine.table[place];
}

static void prepare_thread(void) {
    if (mine.table != NULL)
        return;
#pragma omp critical(gg_matmul_engine)
    if (engine == NULL)
        CHECK(dnnl_engine_create(&engine, dnnl_cpu, 0));
    CHECK(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    mine.table = gg_calloc(PLACES, sizeof *mine.table);
}

static void *scratch_of(size_t bytes) {
    if (bytes > mine.scratch_bytes) {
        free(mine.scratch);
        mine.scratch = gg_malloc(bytes);
        mine.scratch_bytes = bytes;
    }
    return mine.scratch;
}

static void run(const struct ready *r, const struct gg_bf16_product *p) {
    CHECK(dnnl_memory_set_data_handle(r->a, (void *)p->a));
    CHECK(dnnl_memory_set_data_handle(r->b, (void *)p->b));
    CHECK(dnnl_memory_set_data_handle(r->c, p->c));
    CHECK(dnnl_memory_set_data_handle(r->scratch, scratch_of(r->scratch_bytes)));
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, r->a},
                                         {DNNL_ARG_WEIGHTS, r->b},
                                         {DNNL_ARG_DST, r->c},
                                         {DNNL_ARG_SCRATCHPAD, r->scratch}};
    CHECK(dnnl_primitive_execute(r->primitive, stream, 4, arguments));
    CHECK(dnnl_stream_wait(stream));
}

void gg_matmul_bf16_library(const struct gg_bf16_product *p) {
    const bool alone = omp_in_parallel();
    const int threads = omp_get_max_threads();
    const struct shape shape = {p->m,
                                p->n,
                                p->k,
                                p->lda,
                                p->ldb,
                                p->ldc,
                                p->transpose_a,
                                p->transpose_b,
                                p->accumulate,
                                p->result,
                                alone ? 1 : threads};
    prepare_thread();
    if (alone)
        omp_set_num_threads(1); /* of this thread, in this region */
    run(find_or_make(&shape), p);
    if (alone)
        omp_set_num_threads(threads);
}

bool gg_matmul_library_has_bf16(void) {
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}
