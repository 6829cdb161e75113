/* The parameter table: every tensor of a model once, computed from its configuration.
 *
 * It drives initialisation, sharding over the grid, the optimizer, gradient buckets, checkpoints, import and
 * export. All tensors of a rank stand in one flat float32 buffer: those that are trained in table order, and behind
 * them the frozen ones, in table order too. Gradients and the optimizer's states have the same layout, and end where
 * the frozen tensors begin.
 */
#ifndef GG_CORE_MODEL_PARAMETERS_H
#define GG_CORE_MODEL_PARAMETERS_H

#include "core/base/status.h"
#include "core/model/shards.h"

#include <stdbool.h>
#include <stdint.h>

/* How a tensor lies on the P x Q grid. */
enum gg_layout {
    GG_LAYOUT_MATRIX,    /* (in, out): columns (out) block-cyclic over P, rows (in) block over Q */
    GG_LAYOUT_EMBEDDING, /* (entries, width): columns (width) over P, rows (entries, padded) over Q */
    GG_LAYOUT_VECTOR,    /* (1, width): block-cyclic over P, replicated over Q */
};

enum gg_initial {
    GG_INITIAL_ZERO,
    GG_INITIAL_ONE,
    GG_INITIAL_NORMAL,  /* of mean 0 and a deviation */
    GG_INITIAL_UNIFORM, /* between minus a bound and the bound */
};

struct gg_parameter {
    char name[80]; /* Hugging Face's: transformer.h.0.attn.c_attn.weight */
    enum gg_layout layout;
    int64_t rows, columns; /* whole, padding excluded; a vector has one row */
    int dimensions;        /* 1 or 2, as files show it */
    int64_t column_block;  /* of the block-cyclic distribution over P */
    bool decay;            /* weight decay applies */
    enum gg_initial initial;
    double deviation;                  /* of GG_INITIAL_NORMAL; the bound of GG_INITIAL_UNIFORM */
    bool trained;                      /* has a gradient; else it is frozen */
    int64_t local_rows, local_columns; /* this rank's part, padding included */
    int64_t offset;                    /* of its first element in the flat buffers; a multiple of 16 */
};

struct gg_parameter_table {
    struct gg_parameter *items; /* owned */
    int count;
    int64_t local_elements; /* length of a flat buffer of weights */
    struct gg_shards shards;
    int64_t trained_elements; /* length of one of gradients: as long where nothing is frozen */
};

void gg_parameter_table_free(struct gg_parameter_table *table);

/* The tensors of a table that are trained, or those that are frozen, where they stand in its flat buffers.
 *   part [out] free with gg_parameter_table_free */
void gg_parameter_table_part(const struct gg_parameter_table *table, bool trained,
                             struct gg_parameter_table *part);

/* Where an element of a rank's part lies in the whole tensor. A part's row r and column c come from whole row
 * gg_parameter_row(...) and column gg_parameter_column(...); a result >= rows or columns is padding. */
int64_t gg_parameter_row(const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                         int64_t local_row);
int64_t gg_parameter_column(const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                            int64_t local_column);

/* The part of a rank's part that lies in [from, to) of the flat buffers.
 *   at [out] its first element in the flat buffers
 * Returns how many elements it has; not above 0: none. */
int64_t gg_parameter_intersect(const struct gg_parameter *parameter, int64_t from, int64_t to, int64_t *at);

/* Whether every token shard holds the same part: vectors. */
bool gg_parameter_replicated(const struct gg_parameter *parameter);

/* How many elements of a rank's part other token shards hold too; of what is trained. */
int64_t gg_parameters_replicated(const struct gg_parameter_table *table);

/* Whether this rank's part is the one that counts when whole tensors are summed or written: false for the
 * replicated parts of vectors on token shards other than 0. */
bool gg_parameter_owned(const struct gg_parameter_table *table, const struct gg_parameter *parameter);

/* The index of the parameter of that name, or -1. */
int gg_parameter_find(const struct gg_parameter_table *table, const char *name);

/* Fills the flat buffer with initial weights: pure functions of (seed, tensor, element), the same for every
 * layout. Padding becomes zero. Local. */
void gg_parameters_initialise(const struct gg_parameter_table *table, uint64_t seed, float *weights);

#endif
