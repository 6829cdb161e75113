#include "core/kernels/matmul/tile_pack_internal.h"

#include "core/kernels/matmul/tile_product.h"

/* A tile as 16 lines of 16 pairs: a line is a vector, or a pair of k. */
typedef uint32_t line __attribute__((vector_size(64)));
struct tile {
    line lines[GG_TILE];
};

/* __builtin_shufflevector: gcc from 12 and clang. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAVE_SHUFFLE 1
#endif
#endif

#ifdef HAVE_SHUFFLE
/* Swaps the off-diagonal halves of all 2 x 2 blocks of `distance` x `distance` pairs. */
#define SWAP(distance, ...)                                                                                  \
    for (int i = 0; i < GG_TILE; i++)                                                                        \
        if ((i & (distance)) == 0) {                                                                         \
            const line upper = t->lines[i], lower = t->lines[i + (distance)];                                \
            t->lines[i] = __builtin_shufflevector(upper, lower, __VA_ARGS__);                                \
            t->lines[i + (distance)] = __builtin_shufflevector(upper, lower, SECOND(distance, __VA_ARGS__)); \
        }
/* The other halves are `distance` further on. */
#define SECOND(d, a, b, c, e, f, g, h, i, j, k, l, m, n, o, p, q)                                            \
    (a) + (d), (b) + (d), (c) + (d), (e) + (d), (f) + (d), (g) + (d), (h) + (d), (i) + (d), (j) + (d),       \
        (k) + (d), (l) + (d), (m) + (d), (n) + (d), (o) + (d), (p) + (d), (q) + (d)

static inline void transpose(struct tile *t) {
    SWAP(8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
    SWAP(4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
    SWAP(2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
    SWAP(1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
}
#else
static inline void transpose(struct tile *t) {
    for (int i = 0; i < GG_TILE; i++)
        for (int j = 0; j < i; j++) {
            const uint32_t upper = t->lines[i][j];
            t->lines[i][j] = t->lines[j][i];
            t->lines[j][i] = upper;
        }
}
#endif

/* Lines are vectors. */
static inline void read_whole(const gg_bf16 *values, int64_t stride, struct tile *t) {
    for (int v = 0; v < GG_TILE; v++)
        memcpy(&t->lines[v], values + v * stride, sizeof(line));
}

/* Lines are pairs of k. */
static inline void read_across(const gg_bf16 *values, int64_t stride, struct tile *t) {
    typedef uint16_t half __attribute__((vector_size(32)));
    for (int pair = 0; pair < GG_STEP / 2; pair++) {
        half even, odd;
        memcpy(&even, values + 2 * pair * stride, sizeof even);
        memcpy(&odd, values + (2 * pair + 1) * stride, sizeof odd);
        t->lines[pair] = __builtin_convertvector(even, line) | __builtin_convertvector(odd, line) << 16;
    }
}

/* What a tile has of the operand, with zeros for the rest. */
static void read_part(const gg_bf16 *values, int64_t stride, bool whole, int64_t vectors, int64_t count,
                      gg_bf16 part[GG_TILE * GG_STEP]) {
    const int64_t lines = whole ? vectors : count, length = whole ? count : vectors;
    const int64_t part_stride = whole ? GG_STEP : GG_TILE;
    memset(part, 0, GG_TILE * GG_STEP * sizeof *part);
    for (int64_t i = 0; i < lines; i++)
        memcpy(part + i * part_stride, values + i * stride, (size_t)length * sizeof *part);
}

static inline void pack_tile(enum gg_tile_layout layout, const gg_bf16 *values, int64_t stride, bool whole,
                             int64_t vectors, int64_t count, gg_bf16 *packed) {
    struct tile t;
    gg_bf16 part[GG_TILE * GG_STEP];
    if (vectors < GG_TILE || count < GG_STEP) {
        read_part(values, stride, whole, vectors < GG_TILE ? vectors : GG_TILE,
                  count < GG_STEP ? count : GG_STEP, part);
        values = part;
        stride = whole ? GG_STEP : GG_TILE;
    }
    if (whole && layout == GG_TILE_ROWS) {
        for (int v = 0; v < GG_TILE; v++)
            memcpy(packed + v * GG_STEP, values + v * stride, sizeof(line));
        return;
    }
    if (whole)
        read_whole(values, stride, &t);
    else
        read_across(values, stride, &t);
    if (whole || layout == GG_TILE_ROWS)
        transpose(&t);
    memcpy(packed, &t, sizeof t);
}

void gg_tile_pack(enum gg_tile_layout layout, const gg_bf16 *values, int64_t stride, bool whole,
                  int64_t vectors, int64_t count, gg_bf16 *packed) {
    pack_tile(layout, values, stride, whole, vectors, count, packed);
    packed += GG_TILE * GG_STEP;
    if (vectors > GG_TILE)
        pack_tile(layout, values + (whole ? GG_TILE * stride : GG_TILE), stride, whole, vectors - GG_TILE,
                  count, packed);
    else
        memset(packed, 0, GG_TILE * GG_STEP * sizeof *packed);
}
