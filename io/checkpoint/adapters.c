#include "io/checkpoint/adapters.h"

#include "core/base/memory.h"
#include "io/checkpoint/checkpoint_tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const endings[] = {"lora_A.weight", "lora_B.weight"};

/* The adapter A (0) or B (1) of a map; NULL: it has none.
 *   weight [in] the map's: "transformer.h.0.attn.c_attn.weight" */
static const struct gg_checkpoint_tensor *find(const struct gg_adapters *a, const char *weight, int which) {
    char name[sizeof((struct gg_checkpoint_tensor *)0)->name];
    const char *dot = strrchr(weight, '.');
    if (dot == NULL || strcmp(dot, ".weight") != 0)
        return NULL;
    snprintf(name, sizeof name, "%.*s.%s", (int)(dot - weight), weight, endings[which]);
    return gg_checkpoint_find_tensor(a->contents, "model", name);
}

/* The tensor of that name, trained whole; NULL: it is none of them. */
static const struct gg_checkpoint_tensor *find_whole(const struct gg_adapters *a,
                                                     const struct gg_parameter *p) {
    return gg_checkpoint_find_tensor(a->contents, "model", p->name);
}

void gg_adapters_base_table(const struct gg_adapters *adapters, const struct gg_checkpoint_contents *base,
                            const struct gg_parameter_table *table, struct gg_parameter_table *part) {
    *part = *table;
    part->items = gg_malloc(((size_t)table->count + 1) * sizeof *part->items);
    part->count = 0;
    for (int i = 0; i < table->count; i++)
        if (find_whole(adapters, &table->items[i]) == NULL ||
            gg_checkpoint_find_tensor(base, "model", table->items[i].name) != NULL)
            part->items[part->count++] = table->items[i];
}

static bool has_shape(const struct gg_checkpoint_tensor *tensor, int64_t rows, int64_t columns) {
    return tensor != NULL && tensor->dimensions == 2 && tensor->rows == rows && tensor->columns == columns;
}

gg_status gg_adapters_check(const struct gg_adapters *a, const struct gg_parameter_table *table) {
    int known = 0, tensors = 0;
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        const struct gg_checkpoint_tensor *of_a = find(a, p->name, 0), *of_b = find(a, p->name, 1),
                                          *whole = find_whole(a, p);
        if (whole != NULL && (whole->rows != p->rows || whole->columns != p->columns))
            return gg_fail(GG_BAD_DATA, "%s: tensor %s is of another shape than the model's", a->path,
                           p->name);
        known += whole != NULL;
        if (of_a == NULL && of_b == NULL)
            continue;
        if (p->layout != GG_LAYOUT_MATRIX || !has_shape(of_a, p->rows, a->settings.rank) ||
            !has_shape(of_b, a->settings.rank, p->columns))
            return gg_fail(GG_BAD_DATA, "%s: its adapters of %s are not of rank %lld, or not of such a map",
                           a->path, p->name, (long long)a->settings.rank);
        known += 2;
    }
    for (int i = 0; i < a->contents->count; i++)
        tensors += strcmp(a->contents->tensors[i].group, "model") == 0;
    if (tensors != known || known == 0)
        return gg_fail(GG_BAD_DATA, "%s: %d of its %d tensors are of the model that its settings describe",
                       a->path, known, tensors);
    return GG_OK;
}

/* The rows of A and the columns of B that the part's elements come from, multiplied. */
static void add_product(const struct gg_parameter_table *table, const struct gg_parameter *p, int64_t rank,
                        float scale, const float *a, const float *b, float *part) {
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < p->local_rows; r++) {
        const float *factors = a + gg_parameter_row(table, p, r) * rank;
        float *row = part + r * p->local_columns;
        for (int64_t k = 0; k < rank; k++)
            for (int64_t c = 0; c < p->local_columns; c++)
                row[c] += scale * factors[k] * b[k * p->columns + gg_parameter_column(table, p, c)];
    }
}

/* The part's elements of a whole tensor; padding is zero. */
static void take_part(const struct gg_parameter_table *table, const struct gg_parameter *p,
                      const float *whole, float *part) {
    for (int64_t r = 0; r < p->local_rows; r++)
        for (int64_t c = 0; c < p->local_columns; c++) {
            const int64_t row = gg_parameter_row(table, p, r), column = gg_parameter_column(table, p, c);
            const bool padding = row >= p->rows || column >= p->columns;
            part[r * p->local_columns + c] = padding ? 0 : whole[row * p->columns + column];
        }
}

static gg_status load(const struct gg_adapters *adapters, const struct gg_checkpoint_tensor *tensor,
                      float **values) {
    void *memory;
    GG_TRY(gg_try_malloc((size_t)(tensor->rows * tensor->columns) * sizeof(float), tensor->name, &memory));
    *values = memory;
    return gg_checkpoint_load_tensor(adapters->path, tensor, *values);
}

static gg_status load_whole(const struct gg_adapters *adapters, const struct gg_parameter_table *table,
                            const struct gg_parameter *p, float *part) {
    float *values = NULL;
    const gg_status status = load(adapters, find_whole(adapters, p), &values);
    if (status == GG_OK)
        take_part(table, p, values, part);
    free(values);
    return status;
}

gg_status gg_adapters_add(const struct gg_adapters *adapters, const struct gg_parameter_table *table,
                          const struct gg_parameter *p, float *part) {
    if (find_whole(adapters, p) != NULL)
        return load_whole(adapters, table, p, part);
    const struct gg_checkpoint_tensor *of_a = find(adapters, p->name, 0), *of_b = find(adapters, p->name, 1);
    if (of_a == NULL || of_b == NULL)
        return GG_OK;
    float *a = NULL, *b = NULL;
    gg_status status = load(adapters, of_a, &a);
    if (status == GG_OK)
        status = load(adapters, of_b, &b);
    if (status == GG_OK)
        add_product(table, p, adapters->settings.rank, (float)gg_lora_scale(&adapters->settings), a, b, part);
    free(a);
    free(b);
    return status;
}

gg_status gg_merged_weights_check(const struct gg_merged_weights *w, const struct gg_parameter_table *table) {
    if (w->adapters == NULL)
        return gg_checkpoint_check_tensors(w->path, w->contents, table, NULL, NULL);
    struct gg_parameter_table of_base;
    gg_adapters_base_table(w->adapters, w->contents, table, &of_base);
    const gg_status status =
        gg_checkpoint_check_tensors(w->path, w->contents, &of_base, NULL,
                                    gg_parameter_find(table, "score.weight") >= 0 ? "lm_head.weight" : NULL);
    gg_parameter_table_free(&of_base);
    return status;
}

/* A matrix of a map, which alone has adapters, has no padding on one rank: its part is the whole tensor. */
gg_status gg_merged_weights_load(const struct gg_merged_weights *w, const struct gg_parameter_table *table,
                                 const struct gg_parameter *p, float *values) {
    const struct gg_checkpoint_tensor *whole = w->adapters != NULL ? find_whole(w->adapters, p) : NULL;
    if (whole != NULL)
        return gg_checkpoint_load_tensor(w->adapters->path, whole, values);
    GG_TRY(
        gg_checkpoint_load_tensor(w->path, gg_checkpoint_find_tensor(w->contents, "model", p->name), values));
    return w->adapters != NULL ? gg_adapters_add(w->adapters, table, p, values) : GG_OK;
}
