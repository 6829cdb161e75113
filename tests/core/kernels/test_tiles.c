/* bfloat16 products from tiles: the packing against its definition, and whole products, with the innermost
 * part in plain C and, where the processor has it, in AMX, against sums in double precision. */
#include "tests/kernel_case.h"

#include "core/kernels/matmul/matmul_bf16.h"
#include "tests/reference/reference_matmul.h"
#include "tests/reference/reference_tiles.h"

static gg_bf16 *random_matrix(uint64_t stream, int64_t count) {
    gg_bf16 *values = gg_malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = gg_bf16_round((float)gg_random_normal(33, stream, (uint64_t)i));
    return values;
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
                        assert_int_equal(packed[reference_tile_packed(layout, i, k)], there ? value : 0);
                    }
            }
    free(values);
    free(packed);
}

/* Panels of any length, alone: of products and sums, one rounding each. */
static void panels(gg_tile_product *product, const char *what) {
    static const int64_t steps[] = {1, 2, 3, 33};
    for (int i = 0; i < 8; i++) {
        const bool fresh = i % 2;
        const int64_t count = steps[i / 2] * GG_STEP_ELEMENTS;
        _Alignas(64) float sums[4 * GG_TILE * GG_TILE];
        gg_bf16 *a = aligned_alloc(64, (size_t)count * sizeof *a),
                *b = aligned_alloc(64, (size_t)count * sizeof *b);
        struct tensor from_a = tensor_make(GG_PRECISION_BF16, 1, count),
                      from_b = tensor_make(GG_PRECISION_BF16, 2, count);
        struct tensor got = tensor_make(GG_PRECISION_FP32, 3, 4 * GG_TILE * GG_TILE);
        double *expected = fresh ? case_doubles(got.count) : tensor_results(&got);
        double *sizes = fresh ? case_doubles(got.count) : tensor_magnitudes(&got);
        memcpy(a, from_a.values, tensor_bytes(&from_a));
        memcpy(b, from_b.values, tensor_bytes(&from_b));
        memcpy(sums, got.values, sizeof sums);
        reference_tile_product(steps[i / 2], a, b, expected, sizes);
        if (product == gg_tile_product_amx)
            gg_tiles_begin();
        product(steps[i / 2], a, b, fresh, sums);
        if (product == gg_tile_product_amx)
            gg_tiles_end();
        memcpy(got.values, sums, sizeof sums);
        tensor_check(what, &got, expected, sizes, sum_units(steps[i / 2] * GG_STEP + 1));
        free(a);
        free(b);
        case_end();
    }
}

/* Some elements of C against their definition: products and sums in fp32, one rounding each. */
static void check_product(const struct gg_bf16_product *p, const float *before, const char *what) {
    const struct reference_operand a = {p->a, GG_PRECISION_BF16, p->lda, p->transpose_a == GG_TRANSPOSED};
    const struct reference_operand b = {p->b, GG_PRECISION_BF16, p->ldb, p->transpose_b == GG_TRANSPOSED};
    for (uint64_t i = 0; i < 400; i++) {
        const int64_t r = (int64_t)(gg_random_bits(1, 2, i) % (uint64_t)p->m);
        const int64_t c = (int64_t)(gg_random_bits(3, 4, i) % (uint64_t)p->n);
        double size, sum = reference_matmul_element(&a, &b, r, c, p->k, &size);
        if (p->accumulate) {
            sum += (double)before[r * p->ldc + c];
            size += fabs((double)before[r * p->ldc + c]);
        }
        const double got = (double)gg_load(p->result, p->c, r * p->ldc + c);
        if (!(fabs(got - sum) <= tensor_tolerance(p->result, sum, size, sum_units(p->k + 1))))
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
    panels(product, what);
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
