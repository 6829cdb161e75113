#include "core/kernels/matmul/tile_product.h"

#include "core/kernels/processor.h"

enum { TILE_ELEMENTS = GG_TILE * GG_STEP, TILE_SUMS = GG_TILE * GG_TILE };

/* One tile of sums. */
static void plain_tile(const gg_bf16 *a, const gg_bf16 *b, float *sums) {
    for (int r = 0; r < GG_TILE; r++)
        for (int pair = 0; pair < GG_STEP / 2; pair++) {
            const float even = gg_bf16_value(a[r * GG_STEP + 2 * pair]);
            const float odd = gg_bf16_value(a[r * GG_STEP + 2 * pair + 1]);
            const gg_bf16 *row = b + pair * 2 * GG_TILE;
            for (int c = 0; c < GG_TILE; c++)
                sums[r * GG_TILE + c] +=
                    even * gg_bf16_value(row[2 * c]) + odd * gg_bf16_value(row[2 * c + 1]);
        }
}

void gg_tile_product_plain(int64_t steps, const gg_bf16 *a, const gg_bf16 *b, bool fresh, float *sums) {
    for (int i = 0; fresh && i < 4 * TILE_SUMS; i++)
        sums[i] = 0;
    for (int64_t step = 0; step < steps; step++, a += GG_STEP_ELEMENTS, b += GG_STEP_ELEMENTS)
        for (int t = 0; t < 4; t++)
            plain_tile(a + t / 2 * TILE_ELEMENTS, b + t % 2 * TILE_ELEMENTS, sums + t * TILE_SUMS);
}

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>

#define WITH_TILES __attribute__((target("amx-tile,amx-bf16")))

/* The operand of LDTILECFG. */
struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

bool gg_tiles_available(void) {
    return gg_processor_here()->amx_granted;
}

/* gcc's intrinsics do not tell it all of the memory they read: it must stand in memory before. */
#define SETTLE_MEMORY() __asm__ volatile("" ::: "memory")

WITH_TILES void gg_tiles_begin(void) {
    struct tile_shapes shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shapes.row_bytes[i] = 64;
        shapes.rows[i] = GG_TILE;
    }
    SETTLE_MEMORY();
    _tile_loadconfig(&shapes);
}

WITH_TILES void gg_tiles_end(void) {
    _tile_release();
}

WITH_TILES void gg_tile_product_amx(int64_t steps, const gg_bf16 *a, const gg_bf16 *b, bool fresh,
                                    float *sums) {
    SETTLE_MEMORY();
    if (fresh) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    } else {
        _tile_loadd(0, sums, 64);
        _tile_loadd(1, sums + TILE_SUMS, 64);
        _tile_loadd(2, sums + 2 * TILE_SUMS, 64);
        _tile_loadd(3, sums + 3 * TILE_SUMS, 64);
    }
    for (int64_t step = 0; step < steps; step++, a += GG_STEP_ELEMENTS, b += GG_STEP_ELEMENTS) {
        _tile_loadd(4, a, 64);
        _tile_loadd(5, a + TILE_ELEMENTS, 64);
        _tile_loadd(6, b, 64);
        _tile_loadd(7, b + TILE_ELEMENTS, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + TILE_SUMS, 64);
    _tile_stored(2, sums + 2 * TILE_SUMS, 64);
    _tile_stored(3, sums + 3 * TILE_SUMS, 64);
}
#else
bool gg_tiles_available(void) {
    return false;
}

void gg_tiles_begin(void) {
}

void gg_tiles_end(void) {
}

void gg_tile_product_amx(int64_t steps, const gg_bf16 *a, const gg_bf16 *b, bool fresh, float *sums) {
    gg_tile_product_plain(steps, a, b, fresh, sums);
}
#endif
