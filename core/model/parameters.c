#include "core/model/parameters.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <stdlib.h>
#include <string.h>

void gg_parameter_table_free(struct gg_parameter_table *table) {
    free(table->items);
    *table = (struct gg_parameter_table){0};
}

void gg_parameter_table_part(const struct gg_parameter_table *table, bool trained,
                             struct gg_parameter_table *part) {
    *part = *table;
    part->items = gg_malloc(((size_t)table->count + 1) * sizeof *part->items);
    part->count = 0;
    for (int i = 0; i < table->count; i++)
        if (table->items[i].trained == trained)
            part->items[part->count++] = table->items[i];
}

int64_t gg_parameter_row(const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                         int64_t local_row) {
    const bool split = parameter->layout == GG_LAYOUT_MATRIX || parameter->layout == GG_LAYOUT_EMBEDDING;
    return split ? table->shards.token_index * parameter->local_rows + local_row : local_row;
}

int64_t gg_parameter_column(const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                            int64_t local_column) {
    const int64_t block = parameter->column_block;
    const int64_t round = local_column / block, within = local_column % block;
    return (round * table->shards.feature_shards + table->shards.feature_index) * block + within;
}

int64_t gg_parameter_intersect(const struct gg_parameter *parameter, int64_t from, int64_t to, int64_t *at) {
    const int64_t end = parameter->offset + parameter->local_rows * parameter->local_columns;
    const int64_t last = end < to ? end : to;
    *at = parameter->offset > from ? parameter->offset : from;
    return last - *at;
}

bool gg_parameter_replicated(const struct gg_parameter *parameter) {
    return parameter->layout == GG_LAYOUT_VECTOR;
}

int64_t gg_parameters_replicated(const struct gg_parameter_table *table) {
    int64_t elements = 0;
    for (int i = 0; i < table->count; i++)
        if (table->items[i].trained && gg_parameter_replicated(&table->items[i]))
            elements += table->items[i].local_rows * table->items[i].local_columns;
    return elements;
}

bool gg_parameter_owned(const struct gg_parameter_table *table, const struct gg_parameter *parameter) {
    return !gg_parameter_replicated(parameter) || table->shards.token_index == 0;
}

int gg_parameter_find(const struct gg_parameter_table *table, const char *name) {
    for (int i = 0; i < table->count; i++)
        if (strcmp(table->items[i].name, name) == 0)
            return i;
    return -1;
}

static float initial_value(const struct gg_parameter *parameter, uint64_t seed, int index, int64_t element) {
    switch (parameter->initial) {
    case GG_INITIAL_ONE:
        return 1;
    case GG_INITIAL_NORMAL:
        return (float)(parameter->deviation *
                       gg_random_normal(seed, GG_STREAM(GG_STREAM_INIT, index), (uint64_t)element));
    case GG_INITIAL_UNIFORM:
        return (
            float)(parameter->deviation *
                   (2 * gg_random_uniform(seed, GG_STREAM(GG_STREAM_INIT, index), (uint64_t)element) - 1));
    case GG_INITIAL_ZERO:
        break;
    }
    return 0;
}

void gg_parameters_initialise(const struct gg_parameter_table *table, uint64_t seed, float *weights) {
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        float *part = weights + p->offset;
#pragma omp parallel for schedule(static)
        for (int64_t r = 0; r < p->local_rows; r++) {
            const int64_t row = gg_parameter_row(table, p, r);
            for (int64_t c = 0; c < p->local_columns; c++) {
                const int64_t column = gg_parameter_column(table, p, c);
                const bool padding = row >= p->rows || column >= p->columns;
                part[r * p->local_columns + c] =
                    padding ? 0 : initial_value(p, seed, i, row * p->columns + column);
            }
        }
    }
}
