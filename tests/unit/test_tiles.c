/* bfloat16 products from tiles: the packing against its definition, and whole products, with the innermost
 * part in plain C and, where the processor has it, in AMX, against sums in double precision. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/kernels/matmul_bf16.h"
#include "core/kernels/tile_pack.h"

#include <omp.h>
#include <stdlib.h>

static gg_bf16 *random_matrix(uint64_t stream, int64_t count) {
    gg_bf16 *values = gg_malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = gg_bf16_round((float)gg_random_normal(33, stream, (uint64_t)i));
    return values;
}

/* Where element (vector, k) of a packed step stands, by the definition in tile_product.h. */
static int64_t packed_at(enum gg_tile_layout layout, int64_t vector, int64_t k) {
    const int64_t tile = vector / 16 * 512, v = vector % 16;
    return layout == GG_TILE_ROWS ? tile + v * 32 + k : tile + k / 2 * 32 + v * 2 + k % 2;
}

static void packing(void **state) {
    (void)state;
    enum { STRIDE = 45 };
    static const int64_t vectors[] = {32, 1, 15, 16, 17, 31, 40}, counts[] = {32, 1, 2, 31, 50};
    gg_bf16 *values = random_matrix(1, STRIDE * STRIDE + 100), *packed = aligned_alloc(64, 2048);
    for (int form = 0; form < 4; form++)
        for (int v = 0; v < 7; v++)
            for (int c = 0; c < 5; c++) {
                const enum gg_tile_layout layout = form & 1 ? GG_TILE_PAIRS : GG_TILE_ROWS;
                const bool whole = form & 2;
                memset(packed, 0xff, 2048);
                gg_tile_pack(layout, values, STRIDE, whole, vectors[v], counts[c], packed);
                for (int64_t i = 0; i < 32; i++)
                    for (int64_t k = 0; k < 32; k++) {
                        const bool there = i < vectors[v] && k < counts[c];
                        const gg_bf16 value = values[whole ? i * STRIDE + k : k * STRIDE + i];
                        assert_int_equal(packed[packed_at(layout, i, k)], there ? value : 0);
                    }
            }
    free(values);
    free(packed);
}

/* Some elements of C against their definition. */
static void check_product(const struct gg_bf16_product *p, const float *before, const char *what) {
    for (uint64_t i = 0; i < 400; i++) {
        const int64_t r = (int64_t)(gg_random_bits(1, 2, i) % (uint64_t)p->m);
        const int64_t c = (int64_t)(gg_random_bits(3, 4, i) % (uint64_t)p->n);
        double sum = p->accumulate ? (double)before[r * p->ldc + c] : 0, size = fabs(sum);
        for (int64_t k = 0; k < p->k; k++) {
            const int64_t a = p->transpose_a == GG_TRANSPOSED ? k * p->lda + r : r * p->lda + k;
            const int64_t b = p->transpose_b == GG_TRANSPOSED ? c * p->ldb + k : k * p->ldb + c;
            const double product = (double)gg_bf16_value(p->a[a]) * (double)gg_bf16_value(p->b[b]);
            sum += product;
            size += fabs(product);
        }
        const double got = (double)gg_load(p->result, p->c, r * p->ldc + c);
        const double rounding = p->result == GG_PRECISION_BF16 ? fabs(sum) / 250 : 0;
        if (!(fabs(got - sum) <= rounding + 1e-6 * size))
            fail_msg("%s, %lld x %lld x %lld: %.9g at %lld, %lld, expected %.9g", what, (long long)p->m,
                     (long long)p->n, (long long)p->k, got, (long long)r, (long long)c, sum);
    }
}

/* In every form, with rows further apart than they are long; what is not C's stays as it was. */
static void compare(gg_tile_product *product, const char *what, int64_t m, int64_t n, int64_t k,
                    int64_t gap) {
    for (int form = 0; form < 16; form++) {
        const bool ta = form & 1, tb = form & 2;
        struct gg_bf16_product p = {.transpose_a = ta ? GG_TRANSPOSED : GG_PLAIN,
                                    .transpose_b = tb ? GG_TRANSPOSED : GG_PLAIN,
                                    .m = m,
                                    .n = n,
                                    .k = k,
                                    .lda = (ta ? m : k) + gap,
                                    .ldb = (tb ? k : n) + gap,
                                    .accumulate = form & 4,
                                    .result = form & 8 ? GG_PRECISION_BF16 : GG_PRECISION_FP32,
                                    .ldc = n + gap};
        const int64_t count = m * p.ldc;
        gg_bf16 *a = random_matrix(5, (ta ? k : m) * p.lda), *b = random_matrix(6, (tb ? n : k) * p.ldb);
        float *before = gg_malloc((size_t)count * sizeof *before);
        p.a = a;
        p.b = b;
        p.c = aligned_alloc(64, ((size_t)count * sizeof(float) + 63) / 64 * 64);
        for (int64_t i = 0; i < count; i++) {
            gg_store(p.result, p.c, i, (float)(i % 13) - 6);
            before[i] = gg_load(p.result, p.c, i);
        }
        gg_matmul_bf16_tiles(&p, product);
        check_product(&p, before, what);
        for (int64_t i = 0; i < count; i++)
            if (i % p.ldc >= n)
                assert_true(gg_load(p.result, p.c, i) == before[i]);
        free(a);
        free(b);
        free(before);
        free(p.c);
    }
}

static void compare_all(gg_tile_product *product, const char *what) {
    compare(product, what, 1, 1, 1, 0);
    compare(product, what, 3, 5, 7, 2);
    compare(product, what, 1, 65, 33, 0);
    compare(product, what, 70, 129, 290, 1); /* more than a chunk of k */
    compare(product, what, 300, 270, 40, 0); /* more than a block */
    compare(product, what, 2070, 33, 20, 3); /* more than a part of m, of n, of k */
    compare(product, what, 20, 1060, 20, 3);
    compare(product, what, 33, 34, 4130, 0);
    compare(product, what, 1030, 2064, 3, 0); /* past the caches */
}

static void plain(void **state) {
    (void)state;
    compare_all(gg_tile_product_plain, "plain tiles");
}

static void amx(void **state) {
    (void)state;
    if (gg_tiles_available())
        compare_all(gg_tile_product_amx, "AMX tiles");
    else
        skip();
}

/* The same bits with any number of threads, and from threads that each multiply alone. */
static void threads(void **state) {
    (void)state;
    enum { M = 300, N = 290, K = 4200, SHARED = 4, ALONE = 2 };
    gg_tile_product *product = gg_tiles_available() ? gg_tile_product_amx : gg_tile_product_plain;
    gg_bf16 *a = random_matrix(7, M * K), *b = random_matrix(8, K * N);
    const size_t bytes = (size_t)M * N * sizeof(float);
    const int before = omp_get_max_threads();
    float *c[SHARED + ALONE];
    struct gg_bf16_product p = {.m = M, .n = N, .k = K, .a = a, .lda = K, .b = b, .ldb = N, .ldc = N};
    for (int i = 0; i < SHARED + ALONE; i++)
        c[i] = gg_malloc(bytes);
    for (int i = 0; i < SHARED; i++) {
        omp_set_num_threads(i + 1);
        p.c = c[i];
        gg_matmul_bf16_tiles(&p, product);
    }
#pragma omp parallel for num_threads(ALONE) firstprivate(p)
    for (int i = SHARED; i < SHARED + ALONE; i++) {
        p.c = c[i];
        gg_matmul_bf16_tiles(&p, product);
    }
    omp_set_num_threads(before);
    for (int i = 1; i < SHARED + ALONE; i++)
        assert_memory_equal(c[0], c[i], bytes);
    for (int i = 0; i < SHARED + ALONE; i++)
        free(c[i]);
    free(a);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(packing), cmocka_unit_test(plain),
                                       cmocka_unit_test(amx), cmocka_unit_test(threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
