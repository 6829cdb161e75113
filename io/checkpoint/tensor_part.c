#include "io/checkpoint/tensor_part.h"

struct gg_tensor_part gg_tensor_part(const struct gg_parameter_table *table, const struct gg_parameter *p) {
    struct gg_tensor_part part = {.first_row = gg_parameter_row(table, p, 0),
                                  .first_column = gg_parameter_column(table, p, 0),
                                  .block = p->column_block,
                                  .stride = gg_parameter_column(table, p, p->column_block) -
                                            gg_parameter_column(table, p, 0)};
    part.rows = p->rows - part.first_row;
    if (part.rows > p->local_rows)
        part.rows = p->local_rows;
    if (part.rows < 0)
        part.rows = 0;
    while (part.columns < p->local_columns && gg_parameter_column(table, p, part.columns) < p->columns)
        part.columns++;
    if (part.stride == part.block && part.columns > 0)
        part.block = part.stride = part.columns;
    return part;
}
