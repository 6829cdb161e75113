/* A model's configuration, and the parameter table that follows from it. */
#include "core/model/gpt.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* The least multiple of 64, P and Q that is not below `vocab`. */
static int64_t pad_vocab(int64_t vocab, const struct gg_fabric *fabric) {
    int64_t multiple = 64;
    while (multiple % fabric->feature_shards != 0 || multiple % fabric->token_shards != 0)
        multiple += 64;
    return (vocab + multiple - 1) / multiple * multiple;
}

gg_status gg_gpt_configure(const struct gg_settings *settings, int64_t vocab, const struct gg_fabric *fabric,
                           struct gg_gpt_config *config) {
    if (settings->model.vocab != 0 && settings->model.vocab < vocab)
        return gg_fail(GG_USAGE,
                       "model.vocab %lld is smaller than the tokenizer's %lld entries; raise it, or set 0",
                       (long long)settings->model.vocab, (long long)vocab);
    const int64_t entries = settings->model.vocab != 0 ? settings->model.vocab : vocab;
    *config = (struct gg_gpt_config){
        .layers = settings->model.layers,
        .heads = settings->model.heads,
        .width = settings->model.width,
        .context = settings->model.context,
        .vocab = entries,
        .padded_vocab = pad_vocab(entries, fabric),
        .dropout = settings->model.dropout,
        .seed = (uint64_t)settings->run.seed,
        .precision = (enum gg_precision)settings->compute.precision,
        .recompute = (enum gg_recompute)settings->compute.recompute,
    };
    return GG_OK;
}

gg_status gg_gpt_check_grid(const struct gg_gpt_config *config, const struct gg_fabric *fabric) {
    const int p = fabric->feature_shards, q = fabric->token_shards;
    if (config->heads % p != 0)
        return gg_fail(GG_USAGE, "parallel.grid: %d feature shards do not divide model.heads %lld", p,
                       (long long)config->heads);
    if (config->padded_vocab % p != 0 || config->padded_vocab % q != 0)
        return gg_fail(GG_USAGE, "parallel.grid: %dx%d does not divide the padded vocabulary %lld", p, q,
                       (long long)config->padded_vocab);
    if (config->width % q != 0)
        return gg_fail(GG_USAGE, "parallel.grid: %d token shards do not divide model.width %lld", q,
                       (long long)config->width);
    return GG_OK;
}

static struct gg_parameter *append(struct gg_parameter_table *table, const char *format, ...)
    GG_PRINTF_LIKE(2, 3);

static struct gg_parameter *append(struct gg_parameter_table *table, const char *format, ...) {
    struct gg_parameter *parameter = &table->items[table->count++];
    va_list args;
    va_start(args, format);
    vsnprintf(parameter->name, sizeof parameter->name, format, args);
    va_end(args);
    return parameter;
}

/* Weights of a map in -> out; its columns are dealt out over P in blocks of column_block. */
static void matrix(struct gg_parameter *parameter, const struct gg_parameter_table *table, int64_t in,
                   int64_t out, int64_t column_block, double deviation) {
    parameter->layout = GG_LAYOUT_MATRIX;
    parameter->rows = in;
    parameter->columns = out;
    parameter->dimensions = 2;
    parameter->column_block = column_block;
    parameter->decay = true;
    parameter->initial = GG_INITIAL_NORMAL;
    parameter->deviation = deviation;
    parameter->local_rows = in / table->token_shards;
    parameter->local_columns = out / table->feature_shards;
}

static void vector(struct gg_parameter *parameter, const struct gg_parameter_table *table, int64_t width,
                   int64_t column_block, enum gg_initial initial) {
    parameter->layout = GG_LAYOUT_VECTOR;
    parameter->rows = 1;
    parameter->columns = width;
    parameter->dimensions = 1;
    parameter->column_block = column_block;
    parameter->initial = initial;
    parameter->local_rows = 1;
    parameter->local_columns = width / table->feature_shards;
}

static void embedding(struct gg_parameter *parameter, const struct gg_parameter_table *table, int64_t rows,
                      int64_t local_rows, int64_t width) {
    matrix(parameter, table, rows, width, width / table->feature_shards, 0.02);
    parameter->layout = GG_LAYOUT_EMBEDDING;
    parameter->local_rows = local_rows;
}

static void norm(struct gg_parameter_table *table, const char *prefix, int64_t width) {
    const int64_t block = width / table->feature_shards;
    vector(append(table, "%s.weight", prefix), table, width, block, GG_INITIAL_ONE);
    vector(append(table, "%s.bias", prefix), table, width, block, GG_INITIAL_ZERO);
}

static void linear(struct gg_parameter_table *table, const char *prefix, int64_t in, int64_t out,
                   int64_t column_block, double deviation) {
    matrix(append(table, "%s.weight", prefix), table, in, out, column_block, deviation);
    vector(append(table, "%s.bias", prefix), table, out, column_block, GG_INITIAL_ZERO);
}

static void block(struct gg_parameter_table *table, const struct gg_gpt_config *config, int64_t layer) {
    const int64_t width = config->width, shard = width / table->feature_shards;
    /* Residual projections start smaller, by the root of their number (Radford et al. 2019, section 2.3). */
    const double deviation = 0.02, residual_deviation = 0.02 / sqrt(2.0 * (double)config->layers);
    char prefix[64];
#define PREFIX(part) (snprintf(prefix, sizeof prefix, "transformer.h.%lld." part, (long long)layer), prefix)
    norm(table, PREFIX("ln_1"), width);
    linear(table, PREFIX("attn.c_attn"), width, 3 * width, shard, deviation);
    linear(table, PREFIX("attn.c_proj"), width, width, shard, residual_deviation);
    norm(table, PREFIX("ln_2"), width);
    linear(table, PREFIX("mlp.c_fc"), width, 4 * width, 4 * shard, deviation);
    linear(table, PREFIX("mlp.c_proj"), 4 * width, width, shard, residual_deviation);
#undef PREFIX
}

static void assign_offsets(struct gg_parameter_table *table) {
    enum { ALIGNMENT = 16 }; /* floats: a cache line */
    int64_t offset = 0;
    for (int i = 0; i < table->count; i++) {
        table->items[i].offset = offset;
        const int64_t elements = table->items[i].local_rows * table->items[i].local_columns;
        offset += (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    table->local_elements = offset;
}

gg_status gg_gpt_parameters(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                            struct gg_parameter_table *table) {
    enum { PER_BLOCK = 12, OUTSIDE = 4 };
    GG_TRY(gg_gpt_check_grid(config, fabric));
    *table = (struct gg_parameter_table){
        .items = gg_calloc((size_t)(config->layers * PER_BLOCK + OUTSIDE), sizeof *table->items),
        .feature_shards = fabric->feature_shards,
        .feature_index = fabric->feature_index,
        .token_shards = fabric->token_shards,
        .token_index = fabric->token_index,
    };
    const int q = table->token_shards;
    embedding(append(table, "transformer.wte.weight"), table, config->vocab, config->padded_vocab / q,
              config->width);
    embedding(append(table, "transformer.wpe.weight"), table, config->context, (config->context + q - 1) / q,
              config->width);
    for (int64_t layer = 0; layer < config->layers; layer++)
        block(table, config, layer);
    norm(table, "transformer.ln_f", config->width);
    assign_offsets(table);
    return GG_OK;
}

/* Weights of the matmuls of all blocks. */
static double block_weights(const struct gg_gpt_config *config) {
    return 12.0 * (double)config->layers * (double)config->width * (double)config->width;
}

int64_t gg_gpt_parameter_count(const struct gg_gpt_config *config) {
    const int64_t width = config->width;
    return (config->vocab + config->context) * width + config->layers * (12 * width * width + 13 * width) +
           2 * width;
}

double gg_gpt_flops_per_token(const struct gg_gpt_config *config) {
    const double head = (double)config->vocab * (double)config->width;
    const double attention = (double)config->layers * (double)config->width * (double)config->context;
    return 6 * (block_weights(config) + head) + 6 * attention;
}
