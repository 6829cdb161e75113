#include "jobs/bench/bench_matmul.h"

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/kernels/matmul/matmul.h"
#include "core/model/graph_figures.h"
#include "jobs/launch/gemm_rate.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/statistics.h"
#include "jobs/replica/replica.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A product's operands, as large as the largest shape wants in fp32. */
struct operands {
    struct gg_arena arena;
    void *x, *y, *weight;
    float *weight_gradient;
};

struct shape {
    char name[32];
    struct gg_linear linear;
    int64_t local_tokens;
};
enum { MOST_SHAPES = 32, PRODUCTS = 3, MAX_REPEATS = 100 };
static const char *const product_names[PRODUCTS] = {"forward", "d_input", "d_weight"};

/* "attn.c_attn" of "transformer.h.0.attn.c_attn.weight": what stands behind the block's number. */
static void short_name(const char *weight, char *name, size_t bytes) {
    const char *begin = weight;
    for (const char *at = weight; *at != '\0'; at++)
        if (at[0] == '.' && at[1] >= '0' && at[1] <= '9' && strchr(at + 1, '.') != NULL)
            begin = strchr(at + 1, '.') + 1;
    snprintf(name, bytes, "%.*s", (int)(strlen(begin) - strlen(".weight")), begin);
}

static bool same(const struct gg_linear *a, const struct gg_linear *b) {
    return a->in == b->in && a->out == b->out && a->in_block == b->in_block && a->out_block == b->out_block &&
           a->transposed == b->transposed && a->precision == b->precision && a->output == b->output;
}

static bool listed(const struct shape *shapes, int count, const struct gg_linear *linear) {
    for (int i = 0; i < count; i++)
        if (same(&shapes[i].linear, linear))
            return true;
    return false;
}

/* The different products of the model; returns how many. */
static int list_shapes(const struct gg_graph *graph, int64_t local_tokens, struct shape shapes[MOST_SHAPES]) {
    const struct gg_linear *linear;
    const char *weight;
    int count = 0;
    for (int i = 0; (linear = gg_graph_linear(graph, i, &weight)) != NULL && count < MOST_SHAPES; i++) {
        if (listed(shapes, count, linear))
            continue;
        struct shape *shape = &shapes[count++];
        const bool head = linear->output == GG_PRECISION_FP32 && linear->transposed;
        memset(shape, 0, sizeof *shape);
        shape->linear = *linear;
        shape->local_tokens = head ? gg_head_tokens(graph, local_tokens) : local_tokens;
        if (head)
            snprintf(shape->name, sizeof shape->name, "head");
        else
            short_name(weight, shape->name, sizeof shape->name);
    }
    return count;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static void lay_out(struct operands *o, const struct gg_shards *shards, const struct shape *shapes,
                    int count) {
    int64_t x = 0, y = 0, weight = 0;
    const int p = shards->feature_shards, q = shards->token_shards;
    for (int i = 0; i < count; i++) {
        const struct gg_linear *l = &shapes[i].linear;
        x = larger(x, shapes[i].local_tokens * l->in / p);
        y = larger(y, shapes[i].local_tokens * l->out / p);
        weight = larger(weight, l->in * l->out / p / q);
    }
    o->x = gg_arena_floats(&o->arena, x);
    o->y = gg_arena_floats(&o->arena, y);
    o->weight = gg_arena_floats(&o->arena, weight);
    o->weight_gradient = gg_arena_floats(&o->arena, weight);
}

static void multiply(const struct gg_fabric *fabric, const struct shape *s, int product,
                     const struct operands *o) {
    if (product == GG_PRODUCT_FORWARD)
        fabric->matmul(fabric, GG_PRODUCT_FORWARD, &s->linear, s->local_tokens, o->x, o->weight, false, o->y);
    else if (product == GG_PRODUCT_INPUT_GRADIENT)
        fabric->matmul(fabric, GG_PRODUCT_INPUT_GRADIENT, &s->linear, s->local_tokens, o->y, o->weight, false,
                       o->x);
    else
        fabric->matmul(fabric, GG_PRODUCT_WEIGHT_GRADIENT, &s->linear, s->local_tokens, o->x, o->y, true,
                       o->weight_gradient);
}

/* Median seconds of a product, the slowest rank's each time; all ranks at once. */
static double measure(MPI_Comm comm, const struct gg_fabric *fabric, const struct shape *s, int product,
                      const struct operands *o, int repeats) {
    double seconds[MAX_REPEATS];
    multiply(fabric, s, product, o);
    for (int i = 0; i < repeats; i++) {
        MPI_Barrier(comm);
        const double begin = gg_clock_seconds();
        multiply(fabric, s, product, o);
        seconds[i] = gg_clock_seconds() - begin;
        MPI_Allreduce(MPI_IN_PLACE, &seconds[i], 1, MPI_DOUBLE, MPI_MAX, comm);
    }
    return gg_median(seconds, repeats);
}

struct report {
    bool speaks, json, our_tiles;
    json_t *rows;
    double flops, seconds; /* of all blocks' shapes and the head, once */
};

static void print_row(struct report *r, const struct shape *s, int token_shards, const double rate[PRODUCTS],
                      double peak) {
    if (!r->speaks)
        return;
    if (r->json) {
        json_array_append_new(r->rows, json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f}", "name", s->name,
                                                 "tokens", (json_int_t)(s->local_tokens * token_shards), "in",
                                                 (json_int_t)s->linear.in, "out", (json_int_t)s->linear.out,
                                                 product_names[0], rate[0] / 1e9, product_names[1],
                                                 rate[1] / 1e9, product_names[2], rate[2] / 1e9));
        return;
    }
    printf("%-12s %7lld x %6lld x %6lld ", s->name, (long long)(s->local_tokens * token_shards),
           (long long)s->linear.in, (long long)s->linear.out);
    for (int product = 0; product < PRODUCTS; product++)
        printf("  %8.1f %4.0f%%", rate[product] / 1e9, 100 * rate[product] / peak);
    putchar('\n');
}

static void print_head(const struct report *r, const struct gg_topology *t, enum gg_precision precision,
                       double peak) {
    if (!r->speaks || r->json)
        return;
    printf(
        "grid %dx%d, %d replica(s); local GEMM (2048 cubed, %s in %s, all ranks at once): %.1f GFLOP/s of a "
        "replica\n",
        t->shards.feature_shards, t->shards.token_shards, t->replicas, gg_matmul_maker(precision),
        gg_precision_names[precision], peak / 1e9);
    if (t->shards.feature_shards * t->shards.token_shards > 1)
        printf("PBLAS tiles are multiplied by %s\n",
               r->our_tiles ? gg_matmul_maker(precision) : "ScaLAPACK's own BLAS");
    printf("%-12s %25s ", "matmul", "tokens x     in x    out");
    for (int product = 0; product < PRODUCTS; product++)
        printf("  %14s", product_names[product]);
    printf("\n%46s GFLOP/s and share of the local GEMM rate\n", "");
}

static void run_shapes(const struct gg_topology *topology, const struct gg_fabric *fabric,
                       const struct shape *shapes, int count, const struct operands *o, int repeats,
                       double peak, struct report *r) {
    for (int i = 0; i < count; i++) {
        const struct shape *s = &shapes[i];
        const double flops = 2.0 * (double)s->local_tokens * topology->shards.token_shards *
                             (double)s->linear.in * (double)s->linear.out;
        double rate[PRODUCTS];
        for (int product = 0; product < PRODUCTS; product++) {
            const double seconds = measure(topology->grid, fabric, s, product, o, repeats);
            rate[product] = flops / seconds;
            r->flops += flops;
            r->seconds += seconds;
        }
        print_row(r, s, topology->shards.token_shards, rate, peak);
    }
    if (!r->speaks)
        return;
    if (r->json) {
        json_t *whole = json_pack("{s:o, s:f, s:f}", "matmuls", r->rows, "gemm_gflops", peak / 1e9,
                                  "mean_gflops", r->flops / r->seconds / 1e9);
        json_dumpf(whole, stdout, JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(whole);
    } else {
        printf("all together %.1f GFLOP/s, %.0f%% of the local GEMM rate\n", r->flops / r->seconds / 1e9,
               100 * r->flops / r->seconds / peak);
    }
}

static gg_status measure_shapes(const struct gg_replica *r, int repeats, bool json) {
    const enum gg_precision precision = r->graph.config.precision;
    const struct gg_topology *topology = &r->topology;
    struct shape shapes[MOST_SHAPES];
    struct operands operands = {0};
    struct gg_gemm_rate gemm;
    const int count = list_shapes(&r->graph, r->plan.local_sequences * r->graph.config.context, shapes);
    lay_out(&operands, &topology->shards, shapes, count);
    gg_status status = gg_agree(r->world->comm, gg_arena_allocate(&operands.arena, "the operands"));
    if (status == GG_OK)
        status = gg_gemm_rate_measure(r->world->comm, precision, &gemm);
    if (status == GG_OK) {
        lay_out(&operands, &topology->shards, shapes, count);
        const double peak = gemm.all / topology->replicas;
        struct report report = {.speaks = r->world->rank == 0,
                                .json = json,
                                .our_tiles = gg_grid_uses_our_tiles(r->grid),
                                .rows = json_array()};
        print_head(&report, topology, precision, peak);
        run_shapes(topology, &r->fabric, shapes, count, &operands,
                   repeats < MAX_REPEATS ? repeats : MAX_REPEATS, peak, &report);
        if (!report.speaks || !json)
            json_decref(report.rows);
    }
    gg_arena_free(&operands.arena);
    return status;
}

static gg_status open_grid(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                           struct gg_replica *r) {
    enum gg_precision precision;
    GG_TRY(gg_replica_place(world, settings, r));
    GG_TRY(gg_precision_choose(world, (enum gg_precision)settings->compute.precision,
                               (enum gg_fallback)settings->compute.fallback, &precision));
    GG_TRY(gg_replica_shape(r, vocab, precision, false));
    return gg_replica_open_grid(r);
}

gg_status gg_bench_matmul(const struct gg_world *world, const struct gg_settings *settings, int64_t vocab,
                          int repeats, bool json) {
    struct gg_replica replica = {0};
    gg_status status = open_grid(world, settings, vocab, &replica);
    if (status == GG_OK)
        status = measure_shapes(&replica, repeats, json);
    gg_replica_close(&replica);
    return status;
}
