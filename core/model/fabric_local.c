/* The fabric of a replica that is one rank: local products, and nothing to exchange. */
#include "core/model/fabric.h"

#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_few.h"

#include <string.h>

static void matmul(const struct gg_fabric *fabric, enum gg_product product, const struct gg_linear *linear,
                   int64_t tokens, const void *a, const void *b, bool accumulate, void *c) {
    (void)fabric;
    const enum gg_precision precision = linear->precision;
    const int64_t in = linear->in, out = linear->out;
    const bool stored_transposed = linear->transposed;
    const int64_t weight_stride = stored_transposed ? in : out;
    switch (product) {
    case GG_PRODUCT_FORWARD:
        gg_matmul_stored(precision, GG_PLAIN, stored_transposed ? GG_TRANSPOSED : GG_PLAIN, tokens, out, in,
                         a, in, b, weight_stride, accumulate, linear->output, c, out);
        break;
    case GG_PRODUCT_INPUT_GRADIENT:
        gg_matmul_stored(precision, GG_PLAIN, stored_transposed ? GG_PLAIN : GG_TRANSPOSED, tokens, in, out,
                         a, out, b, weight_stride, accumulate, precision, c, in);
        break;
    case GG_PRODUCT_WEIGHT_GRADIENT:
        if (stored_transposed)
            gg_matmul_stored(precision, GG_TRANSPOSED, GG_PLAIN, out, in, tokens, b, out, a, in, accumulate,
                             GG_PRECISION_FP32, c, in);
        else
            gg_matmul_stored(precision, GG_TRANSPOSED, GG_PLAIN, in, out, tokens, a, in, b, out, accumulate,
                             GG_PRECISION_FP32, c, out);
        break;
    }
}

static void matmul_few(const struct gg_fabric *fabric, const struct gg_linear *linear, int64_t rows,
                       const void *x, const void *w, void *y) {
    (void)fabric;
    gg_matmul_few(linear->precision, linear->transposed ? GG_TRANSPOSED : GG_PLAIN, rows, linear->out,
                  linear->in, x, w, linear->output, y);
}

static void nothing_to_exchange(const struct gg_fabric *fabric, float *values, int64_t count) {
    (void)fabric, (void)values, (void)count;
}

static void feature_gather(const struct gg_fabric *fabric, const float *values, int64_t count, float *whole) {
    (void)fabric;
    memcpy(whole, values, (size_t)count * sizeof *whole);
}

static void embedding_rows(const struct gg_fabric *fabric, const void *table, int64_t rows, size_t row_bytes,
                           const int32_t *ids, int64_t tokens, void *out) {
    (void)fabric, (void)rows;
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < tokens; t++)
        memcpy((char *)out + (size_t)t * row_bytes, (const char *)table + (size_t)ids[t] * row_bytes,
               row_bytes);
}

enum { COLUMN_BLOCK = 64 };

GG_KERNEL_BODY void add_columns(enum gg_precision stored, const void *d_out, const int32_t *ids,
                                int64_t tokens, float *gradient, int64_t width, int64_t from, int64_t to) {
    for (int64_t t = 0; t < tokens; t++) {
        float *row = gradient + (int64_t)ids[t] * width;
        const void *d_row = gg_at(stored, d_out, t * width);
        for (int64_t c = from; c < to; c++)
            row[c] += gg_load(stored, d_row, c);
    }
}

/* Threads share the columns: two tokens may have the same row. */
static void embedding_gradient(const struct gg_fabric *fabric, enum gg_precision stored, const void *d_out,
                               const int32_t *ids, int64_t tokens, float *gradient, int64_t rows,
                               int64_t width) {
    (void)fabric, (void)rows;
    const int64_t blocks = (width + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        const int64_t from = b * COLUMN_BLOCK, to = from + COLUMN_BLOCK < width ? from + COLUMN_BLOCK : width;
        GG_SPECIALISE(add_columns, stored, d_out, ids, tokens, gradient, width, from, to);
    }
}

struct gg_fabric gg_fabric_local(void) {
    return (struct gg_fabric){
        .shards = {.feature_shards = 1, .token_shards = 1},
        .matmul = matmul,
        .matmul_few = matmul_few,
        .feature_sum = nothing_to_exchange,
        .feature_max = nothing_to_exchange,
        .feature_gather = feature_gather,
        .token_sum = nothing_to_exchange,
        .embedding_rows = embedding_rows,
        .embedding_gradient = embedding_gradient,
    };
}
