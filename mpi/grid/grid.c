#include "mpi/grid/grid.h"

#include "core/base/memory.h"
#include "core/kernels/storage.h"
#include "mpi/grid/exchange.h"
#include "mpi/grid/pblas.h"
#include "mpi/world/world.h"

#include <stdlib.h>

struct gg_grid {
    struct gg_fabric fabric;
    MPI_Comm comm, feature_comm, token_comm;
    int handle, context; /* BLACS */
    int block;           /* PBLAS's logical block */
    struct gg_exchange *exchange;
    bool our_tiles;
    struct {
        float *values;
        size_t bytes;
    } widened[3]; /* bf16: a product's operands and result as PBLAS takes them; as large as the largest was */
};

static gg_grid *grid_of(const struct gg_fabric *fabric) {
    return fabric->self;
}

/* A whole matrix as PBLAS sees it: column-major, rows over process rows (features), columns over process
 * columns (tokens, or the inner index of weights). */
struct matrix {
    int rows, columns;
    int descriptor[GG_DESCRIPTOR_LENGTH];
};

static struct matrix describe(const gg_grid *grid, int64_t rows, int64_t row_block, int64_t columns,
                              int64_t column_block) {
    const int64_t local_rows = rows / grid->fabric.shards.feature_shards;
    return (struct matrix){gg_int(rows),
                           gg_int(columns),
                           {1, grid->context, gg_int(rows), gg_int(columns), gg_int(row_block),
                            gg_int(column_block), 0, 0, gg_int(local_rows)}};
}

static struct matrix describe_activation(const gg_grid *grid, int64_t features, int64_t block,
                                         int64_t local_tokens) {
    return describe(grid, features, block, local_tokens * grid->fabric.shards.token_shards, local_tokens);
}

/* Stored (in, out) row-major it is out x in to PBLAS; the tied embedding, stored (out, in), is in x out. */
static struct matrix describe_weight(const gg_grid *grid, const struct gg_linear *linear) {
    const int shards = grid->fabric.shards.token_shards;
    if (linear->transposed)
        return describe(grid, linear->in, linear->in_block, linear->out, linear->out / shards);
    return describe(grid, linear->out, linear->out_block, linear->in, linear->in / shards);
}

/* c = op(a) op(b), or +=; k is the inner index. */
static void multiply(const char *transa, const char *transb, int k, const float *a,
                     const struct matrix *desca, const float *b, const struct matrix *descb, bool accumulate,
                     float *c, const struct matrix *descc) {
    const int one = 1;
    const float alpha = 1, beta = accumulate ? 1 : 0;
    psgemm_(transa, transb, &descc->rows, &descc->columns, &k, &alpha, a, &one, &one, desca->descriptor, b,
            &one, &one, descb->descriptor, &beta, c, &one, &one, descc->descriptor);
}

/* The product of fp32 matrices. */
static void multiply_floats(const struct gg_fabric *fabric, enum gg_product product,
                            const struct gg_linear *linear, int64_t local_tokens, const float *a,
                            const float *b, bool accumulate, float *c) {
    const gg_grid *grid = grid_of(fabric);
    const struct matrix x = describe_activation(grid, linear->in, linear->in_block, local_tokens);
    const struct matrix y = describe_activation(grid, linear->out, linear->out_block, local_tokens);
    const struct matrix w = describe_weight(grid, linear);
    gg_pblas_set_block(grid->block);
    switch (product) {
    case GG_PRODUCT_FORWARD: /* y = W x */
        multiply(linear->transposed ? "T" : "N", "N", gg_int(linear->in), b, &w, a, &x, accumulate, c, &y);
        break;
    case GG_PRODUCT_INPUT_GRADIENT: /* dx = W^T dy */
        multiply(linear->transposed ? "N" : "T", "N", gg_int(linear->out), b, &w, a, &y, accumulate, c, &x);
        break;
    case GG_PRODUCT_WEIGHT_GRADIENT: /* dW += dy x^T, or x dy^T */
        if (linear->transposed)
            multiply("N", "T", x.columns, a, &x, b, &y, accumulate, c, &w);
        else
            multiply("N", "T", x.columns, b, &y, a, &x, accumulate, c, &w);
        break;
    }
}

static float *room(gg_grid *grid, int which, int64_t count) {
    const size_t bytes = (size_t)count * sizeof(float);
    if (bytes > grid->widened[which].bytes) {
        free(grid->widened[which].values);
        grid->widened[which].values = gg_malloc(bytes);
        grid->widened[which].bytes = bytes;
    }
    return grid->widened[which].values;
}

static const float *widen(gg_grid *grid, int which, const gg_bf16 *stored, int64_t count) {
    float *values = room(grid, which, count);
    gg_floats_from_bf16(stored, values, count);
    return values;
}

/* PBLAS knows no bf16: operands are widened, which loses nothing, travel as fp32, and each tile is multiplied
 * in bf16 (pblas_symbols.c). */
static void multiply_bf16(const struct gg_fabric *fabric, enum gg_product product,
                          const struct gg_linear *linear, int64_t local_tokens, const gg_bf16 *a,
                          const gg_bf16 *b, bool accumulate, void *c) {
    gg_grid *grid = grid_of(fabric);
    const int64_t x = local_tokens * (linear->in / fabric->shards.feature_shards);
    const int64_t y = local_tokens * (linear->out / fabric->shards.feature_shards);
    const int64_t w = linear->in * linear->out / fabric->shards.feature_shards / fabric->shards.token_shards;
    const float *wide_a = widen(grid, 0, a, product == GG_PRODUCT_INPUT_GRADIENT ? y : x);
    const float *wide_b = widen(grid, 1, b, product == GG_PRODUCT_WEIGHT_GRADIENT ? y : w);
    const bool is_float = product == GG_PRODUCT_WEIGHT_GRADIENT ||
                          (product == GG_PRODUCT_FORWARD && linear->output == GG_PRECISION_FP32);
    const int64_t count = product == GG_PRODUCT_FORWARD ? y : x;
    float *result = is_float ? c : room(grid, 2, count);
    if (!is_float && accumulate)
        gg_floats_from_bf16(c, result, count);
    gg_pblas_set_precision(GG_PRECISION_BF16);
    multiply_floats(fabric, product, linear, local_tokens, wide_a, wide_b, accumulate, result);
    gg_pblas_set_precision(GG_PRECISION_FP32);
    if (!is_float)
        gg_bf16_from_floats(result, c, count);
}

static void matmul(const struct gg_fabric *fabric, enum gg_product product, const struct gg_linear *linear,
                   int64_t local_tokens, const void *a, const void *b, bool accumulate, void *c) {
    if (linear->precision == GG_PRECISION_BF16)
        multiply_bf16(fabric, product, linear, local_tokens, a, b, accumulate, c);
    else
        multiply_floats(fabric, product, linear, local_tokens, a, b, accumulate, c);
}

static void reduce(MPI_Comm comm, MPI_Op op, float *values, int64_t count) {
    MPI_Allreduce(MPI_IN_PLACE, values, gg_int(count), MPI_FLOAT, op, comm);
}

static void feature_sum(const struct gg_fabric *fabric, float *values, int64_t count) {
    if (fabric->shards.feature_shards > 1)
        reduce(grid_of(fabric)->feature_comm, MPI_SUM, values, count);
}

static void feature_max(const struct gg_fabric *fabric, float *values, int64_t count) {
    if (fabric->shards.feature_shards > 1)
        reduce(grid_of(fabric)->feature_comm, MPI_MAX, values, count);
}

static void token_sum(const struct gg_fabric *fabric, float *values, int64_t count) {
    if (fabric->shards.token_shards > 1)
        reduce(grid_of(fabric)->token_comm, MPI_SUM, values, count);
}

static void feature_gather(const struct gg_fabric *fabric, const float *values, int64_t count, float *whole) {
    MPI_Allgather(values, gg_int(count), MPI_FLOAT, whole, gg_int(count), MPI_FLOAT,
                  grid_of(fabric)->feature_comm);
}

static void embedding_rows(const struct gg_fabric *fabric, const void *table, int64_t rows, size_t row_bytes,
                           const int32_t *ids, int64_t tokens, void *out) {
    gg_grid *grid = grid_of(fabric);
    gg_exchange_rows(grid->exchange, table, rows, row_bytes, ids, tokens, out);
}

static void embedding_gradient(const struct gg_fabric *fabric, enum gg_precision stored, const void *d_out,
                               const int32_t *ids, int64_t tokens, float *gradient, int64_t rows,
                               int64_t width) {
    gg_grid *grid = grid_of(fabric);
    gg_exchange_gradients(grid->exchange, stored, d_out, ids, tokens, gradient, rows, width);
}

/* Multiplies ones by ones, small but with a tile on every rank, and looks who multiplied. */
static void try_tiles(gg_grid *grid) {
    enum { TILE = 4 };
    const int p = grid->fabric.shards.feature_shards, q = grid->fabric.shards.token_shards;
    const struct gg_linear linear = {
        .in = TILE * p * q, .out = TILE * p, .in_block = TILE * q, .out_block = TILE};
    float *x = gg_malloc(sizeof *x * TILE * TILE * (size_t)q),
          *w = gg_malloc(sizeof *w * TILE * TILE * (size_t)p);
    float y[TILE * TILE];
    for (int i = 0; i < TILE * TILE * q; i++)
        x[i] = 1;
    for (int i = 0; i < TILE * TILE * p; i++)
        w[i] = 1;
    const long before = gg_pblas_tiles();
    matmul(&grid->fabric, GG_PRODUCT_FORWARD, &linear, TILE, x, w, false, y);
    GG_ASSERT(y[0] == (float)(TILE * p * q));
    grid->our_tiles = gg_pblas_tiles() > before;
    free(x);
    free(w);
}

bool gg_grid_uses_our_tiles(const gg_grid *grid) {
    return grid->our_tiles;
}

/* The BLACS grid over the ranks of `comm`, column-major: rank r is feature shard r mod P. */
static gg_status make_context(gg_grid *grid, int rows, int columns) {
    grid->handle = Csys2blacs_handle(grid->comm);
    grid->context = grid->handle;
    Cblacs_gridinit(&grid->context, "C", rows, columns);
    int got_rows, got_columns, row, column;
    Cblacs_gridinfo(grid->context, &got_rows, &got_columns, &row, &column);
    if (got_rows != rows || got_columns != columns || row != grid->fabric.shards.feature_index ||
        column != grid->fabric.shards.token_index)
        return gg_fail(GG_FAILED, "BLACS gave no %dx%d grid (it answered %dx%d)", rows, columns, got_rows,
                       got_columns);
    return GG_OK;
}

gg_status gg_grid_create(MPI_Comm replica_comm, int feature_shards, int token_shards, int block,
                         gg_grid **grid) {
    gg_grid *made = gg_calloc(1, sizeof *made);
    int rank, size;
    MPI_Comm_dup(replica_comm, &made->comm);
    MPI_Comm_rank(made->comm, &rank);
    MPI_Comm_size(made->comm, &size);
    GG_ASSERT(size == feature_shards * token_shards);
    made->fabric = gg_fabric_local();
    made->fabric.shards.feature_shards = feature_shards;
    made->fabric.shards.token_shards = token_shards;
    made->fabric.shards.feature_index = rank % feature_shards;
    made->fabric.shards.token_index = rank / feature_shards;
    MPI_Comm_split(made->comm, made->fabric.shards.token_index, rank, &made->feature_comm);
    MPI_Comm_split(made->comm, made->fabric.shards.feature_index, rank, &made->token_comm);
    made->context = -1;
    made->block = block;
    *grid = made;
    if (size == 1)
        return GG_OK;
    made->exchange = gg_exchange_create(made->token_comm);
    made->fabric.self = made;
    made->fabric.matmul = matmul;
    made->fabric.matmul_few = NULL;
    made->fabric.feature_sum = feature_sum;
    made->fabric.feature_max = feature_max;
    made->fabric.feature_gather = feature_gather;
    made->fabric.token_sum = token_sum;
    if (token_shards > 1) {
        made->fabric.embedding_rows = embedding_rows;
        made->fabric.embedding_gradient = embedding_gradient;
    }
    const gg_status status = gg_agree(made->comm, make_context(made, feature_shards, token_shards));
    if (status == GG_OK)
        try_tiles(made);
    else
        gg_grid_destroy(grid);
    return status;
}

void gg_grid_destroy(gg_grid **grid) {
    if (*grid == NULL)
        return;
    if ((*grid)->context >= 0) {
        Cblacs_gridexit((*grid)->context);
        Cfree_blacs_system_handle((*grid)->handle);
    }
    gg_exchange_destroy(&(*grid)->exchange);
    for (int i = 0; i < 3; i++)
        free((*grid)->widened[i].values);
    MPI_Comm_free(&(*grid)->feature_comm);
    MPI_Comm_free(&(*grid)->token_comm);
    MPI_Comm_free(&(*grid)->comm);
    free(*grid);
    *grid = NULL;
}

const struct gg_fabric *gg_grid_fabric(const gg_grid *grid) {
    return &grid->fabric;
}

MPI_Comm gg_grid_token_comm(const gg_grid *grid) {
    return grid->token_comm;
}

size_t gg_grid_exchange_bytes(const gg_grid *grid) {
    return grid->exchange != NULL ? gg_exchange_held_bytes(grid->exchange) : 0;
}
