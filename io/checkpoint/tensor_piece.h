/* Boxes of a rank's part of a tensor: what a range of a flat buffer comes to in a row-major matrix. All
 * local.
 */
#ifndef GG_IO_CHECKPOINT_TENSOR_PIECE_H
#define GG_IO_CHECKPOINT_TENSOR_PIECE_H

#include "core/plan/partition.h"
#include "io/checkpoint/tensor_part.h"

/* Rows [row, row + rows) and columns [column, column + columns) of a rank's part, without padding. */
struct gg_tensor_piece {
    int64_t row, rows, column, columns;
};

enum { GG_TENSOR_PIECES = 3 }; /* the end of a row, whole rows, the beginning of a row */

/* The pieces of a tensor that a range of the flat buffers covers, in order.
 *   pieces [out] those that are not empty
 * Returns how many. */
int gg_tensor_pieces(const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                     const struct gg_range *range, struct gg_tensor_piece pieces[GG_TENSOR_PIECES]);

/* The longest run of consecutive columns of the whole tensor that begins at a part's column.
 *   columns [in]  how many are wanted
 *   whole   [out] the column of the whole tensor
 * Returns the length, from 1 to `columns`. */
int64_t gg_tensor_run(const struct gg_tensor_part *part, int64_t column, int64_t columns, int64_t *whole);

#endif
