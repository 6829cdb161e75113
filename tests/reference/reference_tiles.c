#include "tests/reference/reference_tiles.h"

#include <math.h>

int64_t reference_tile_packed(enum gg_tile_layout layout, int64_t vector, int64_t k) {
    const int64_t tile = vector / 16 * 512, v = vector % 16;
    return layout == GG_TILE_ROWS ? tile + v * 32 + k : tile + k / 2 * 32 + v * 2 + k % 2;
}

int64_t reference_tile_sum(int64_t row, int64_t column) {
    return (row / 16 * 2 + column / 16) * 256 + row % 16 * 16 + column % 16;
}

void reference_tile_product(int64_t steps, const gg_bf16 *a, const gg_bf16 *b, double *sums, double *sizes) {
    for (int64_t step = 0; step < steps; step++)
        for (int64_t row = 0; row < 32; row++)
            for (int64_t column = 0; column < 32; column++)
                for (int64_t k = 0; k < 32; k++) {
                    const gg_bf16 left = a[step * 1024 + reference_tile_packed(GG_TILE_ROWS, row, k)];
                    const gg_bf16 right = b[step * 1024 + reference_tile_packed(GG_TILE_PAIRS, column, k)];
                    const double term = (double)gg_bf16_value(left) * (double)gg_bf16_value(right);
                    sums[reference_tile_sum(row, column)] += term;
                    sizes[reference_tile_sum(row, column)] += fabs(term);
                }
}
