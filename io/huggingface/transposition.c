#include "io/huggingface/transposition.h"

/* In squares that fit the first cache. */
enum { SQUARE = 32 };

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

void gg_transpose(const float *from, int64_t from_stride, int64_t rows, int64_t columns, float *to,
                  int64_t to_stride) {
    for (int64_t r = 0; r < rows; r += SQUARE)
        for (int64_t c = 0; c < columns; c += SQUARE)
            for (int64_t j = c; j < least(c + SQUARE, columns); j++)
                for (int64_t i = r; i < least(r + SQUARE, rows); i++)
                    to[j * to_stride + i] = from[i * from_stride + j];
}
