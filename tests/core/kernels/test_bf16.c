/* bfloat16 products, whoever multiplies, against their plain twin on the same operands. */
#include "tests/kernel_case.h"

#include "core/kernels/matmul/matmul.h"
#include "tests/reference/reference_matmul.h"

struct product {
    enum gg_transpose ta, tb;
    int64_t m, n, k, lda, ldb, ldc;
    bool accumulate;
    struct tensor a, b, c;
    double *expected, *sizes;
};

/* Bits of form: A transposed, B transposed, accumulate, a bf16 result. Rows are `gap` further apart than they
 * are long, and what lies between is to stay. */
static struct product make(int form, int64_t m, int64_t n, int64_t k, int64_t gap) {
    const bool ta = form & 1, tb = form & 2;
    const enum gg_precision result = form & 8 ? GG_PRECISION_BF16 : GG_PRECISION_FP32;
    struct product p = {.ta = ta ? GG_TRANSPOSED : GG_PLAIN,
                        .tb = tb ? GG_TRANSPOSED : GG_PLAIN,
                        .m = m,
                        .n = n,
                        .k = k,
                        .lda = (ta ? m : k) + gap,
                        .ldb = (tb ? k : n) + gap,
                        .ldc = n + gap,
                        .accumulate = form & 4};
    p.a = tensor_make(GG_PRECISION_BF16, 1, (ta ? k : m) * p.lda);
    p.b = tensor_make(GG_PRECISION_BF16, 2, (tb ? n : k) * p.ldb);
    p.c = tensor_make(result, 3, m * p.ldc);
    p.expected = tensor_results(&p.c);
    p.sizes = tensor_magnitudes(&p.c);
    for (int64_t i = 0; i < p.c.count; i++)
        if (i % p.ldc >= n)
            p.sizes[i] = 0;
    const struct reference_operand a = {p.a.values, GG_PRECISION_BF16, p.lda, ta};
    const struct reference_operand b = {p.b.values, GG_PRECISION_BF16, p.ldb, tb};
    reference_matmul(&a, &b, m, n, k, 1, p.accumulate, p.expected, p.sizes, p.ldc);
    return p;
}

static void multiply(const struct product *p, void *c) {
    gg_matmul_bf16(p->ta, p->tb, p->m, p->n, p->k, p->a.values, p->lda, p->b.values, p->ldb, p->accumulate,
                   p->c.stored, c, p->ldc);
}

/* k products and sums in fp32, and one more. */
static void check(const char *what, const struct product *p) {
    tensor_check(what, &p->c, p->expected, p->sizes, sum_units(p->k + 1));
    for (int64_t i = 0; i < p->c.count; i++)
        if (i % p->ldc >= p->n)
            assert_true((double)gg_load(p->c.stored, p->c.values, i) == p->expected[i]);
}

/* In every form; as gg_matmul_stored, which is the same, too. */
static void compare(int64_t m, int64_t n, int64_t k, int64_t gap) {
    for (int form = 0; form < 16; form++) {
        struct product p = make(form, m, n, k, gap);
        struct tensor stored = tensor_make(p.c.stored, 3, p.c.count);
        multiply(&p, p.c.values);
        check("product", &p);
        gg_matmul_stored(GG_PRECISION_BF16, p.ta, p.tb, m, n, k, p.a.values, p.lda, p.b.values, p.ldb,
                         p.accumulate, p.c.stored, stored.values, p.ldc);
        assert_memory_equal(stored.values, p.c.values, tensor_bytes(&stored));
        case_end();
    }
}

static void products(void **state) {
    (void)state;
    compare(1, 1, 1, 0);
    compare(3, 5, 7, 2);
    compare(1, 65, 33, 0);
    compare(17, 63, 15, 1);
    compare(128, 64, 100, 13);
    compare(70, 129, 256, 1);
    compare(2, 127, 769, 3);
}

/* The rank's threads together; then each thread of a region multiplies alone, and all get the same. */
static void threads(void **state) {
    (void)state;
    enum { THREADS = 4 };
    struct product p[THREADS];
    const int before = omp_get_max_threads();
    for (int i = 0; i < THREADS; i++) {
        p[i] = make(0, 96, 81, 64, 0);
        omp_set_num_threads(i + 1);
        multiply(&p[i], p[i].c.values);
        check("by the rank's threads", &p[i]);
        memset(p[i].c.values, 0, tensor_bytes(&p[i].c));
    }
    omp_set_num_threads(2);
#pragma omp parallel num_threads(THREADS)
    for (int round = 0; round < 3; round++)
        multiply(&p[omp_get_thread_num()], p[omp_get_thread_num()].c.values);
    assert_int_equal(omp_get_max_threads(), 2);
    omp_set_num_threads(before);
    for (int i = 0; i < THREADS; i++)
        check("a thread's product", &p[i]);
    case_end();
}

/* More shapes than are kept ready at once. */
static void many_shapes(void **state) {
    (void)state;
    enum { K = 16, MOST = 800 };
    for (int turn = 0; turn < 2; turn++)
        for (int n = 1; n <= MOST; n += turn == 0 ? 1 : 100) {
            struct product p = make(2, 1, n, K, 0);
            multiply(&p, p.c.values);
            check("one of many shapes", &p);
            case_end();
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(products), cmocka_unit_test(threads),
                                       cmocka_unit_test(many_shapes)};
    if (!gg_matmul_has_bf16()) {
        printf("skipped: no bf16: %s\n", gg_matmul_bf16_lack());
        return 77;
    }
    printf("matmul: %s in bf16\n", gg_matmul_maker(GG_PRECISION_BF16));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
