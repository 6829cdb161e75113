#include "io/checkpoint/tensor_piece.h"

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Adds a box that may reach into the padding. */
static int add(struct gg_tensor_piece *pieces, int count, const struct gg_tensor_part *part, int64_t row,
               int64_t rows, int64_t column, int64_t end) {
    const struct gg_tensor_piece piece = {row, least(rows, part->rows - row), column,
                                          least(end, part->columns) - column};
    if (piece.rows <= 0 || piece.columns <= 0)
        return count;
    pieces[count] = piece;
    return count + 1;
}

int gg_tensor_pieces(const struct gg_parameter_table *table, const struct gg_parameter *p,
                     const struct gg_range *range, struct gg_tensor_piece pieces[GG_TENSOR_PIECES]) {
    const int64_t width = p->local_columns, begin = most(range->from - p->offset, 0),
                  end = least(range->to - p->offset, p->local_rows * width);
    if (begin >= end)
        return 0;
    const struct gg_tensor_part part = gg_tensor_part(table, p);
    const int64_t first = begin / width, last = end / width;
    if (first == last)
        return add(pieces, 0, &part, first, 1, begin % width, end % width);
    int count = 0;
    const int64_t whole = first + (begin % width != 0);
    if (whole > first)
        count = add(pieces, count, &part, first, 1, begin % width, width);
    count = add(pieces, count, &part, whole, last - whole, 0, width);
    return add(pieces, count, &part, last, 1, 0, end % width);
}

int64_t gg_tensor_run(const struct gg_tensor_part *part, int64_t column, int64_t columns, int64_t *whole) {
    const int64_t within = column % part->block;
    *whole = part->first_column + column / part->block * part->stride + within;
    return part->block == part->stride ? columns : least(columns, part->block - within);
}
