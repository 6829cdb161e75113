/* Matrices that are turned over. Local.
 */
#ifndef GG_IO_HUGGINGFACE_TRANSPOSITION_H
#define GG_IO_HUGGINGFACE_TRANSPOSITION_H

#include <stdint.h>

/* to[c][r] = from[r][c], of (rows, columns).
 *   to_stride [in] elements from one row of `to` to the next, `rows` or more */
void gg_transpose(const float *from, int64_t from_stride, int64_t rows, int64_t columns, float *to,
                  int64_t to_stride);

#endif
