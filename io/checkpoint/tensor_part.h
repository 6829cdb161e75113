/* Where a rank's part of a tensor lies in the whole one, as files see it. All local.
 *
 * A part is some consecutive whole rows, and in each of them blocks of columns at a constant stride; what is
 * padding stands behind all that is not.
 */
#ifndef GG_IO_CHECKPOINT_TENSOR_PART_H
#define GG_IO_CHECKPOINT_TENSOR_PART_H

#include "core/model/parameters.h"

struct gg_tensor_part {
    int64_t first_row, rows;       /* whole rows that are in the part; padding excluded */
    int64_t first_column, columns; /* the first whole column, and how many of the part are not padding */
    int64_t block, stride;         /* columns of a block, and from one block to the next in the whole */
};

/* The part of this rank; without rows or columns when all of it is padding. */
struct gg_tensor_part gg_tensor_part(const struct gg_parameter_table *table,
                                     const struct gg_parameter *parameter);

#endif
