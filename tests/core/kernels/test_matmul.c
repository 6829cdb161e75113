/* float32 products, whichever library multiplies, against their plain twin. */
#include "tests/kernel_case.h"

#include "core/kernels/matmul/matmul.h"
#include "tests/reference/reference_matmul.h"

struct product {
    bool ta, tb;
    int64_t m, n, k, lda, ldb, ldc;
    float alpha, beta;
    struct tensor a, b, c;
    double *expected, *sizes;
};

/* C's rows are `gap` further apart than they are long, and what lies between is to stay. */
static struct product make(int form, int64_t m, int64_t n, int64_t k, float alpha, float beta, int64_t gap) {
    struct product p = {.ta = form & 1, .tb = form & 2, .m = m, .n = n, .k = k, .alpha = alpha, .beta = beta};
    p.lda = (p.ta ? m : k) + gap;
    p.ldb = (p.tb ? k : n) + gap;
    p.ldc = n + gap;
    p.a = tensor_make(GG_PRECISION_FP32, 1, (p.ta ? k : m) * p.lda);
    p.b = tensor_make(GG_PRECISION_FP32, 2, (p.tb ? n : k) * p.ldb);
    p.c = tensor_make(GG_PRECISION_FP32, 3, m * p.ldc);
    p.expected = tensor_results(&p.c);
    p.sizes = tensor_magnitudes(&p.c);
    for (int64_t i = 0; i < p.c.count; i++)
        if (i % p.ldc >= n)
            p.sizes[i] = 0;
    const struct reference_operand a = {p.a.values, GG_PRECISION_FP32, p.lda, p.ta};
    const struct reference_operand b = {p.b.values, GG_PRECISION_FP32, p.ldb, p.tb};
    reference_matmul(&a, &b, m, n, k, (double)alpha, (double)beta, p.expected, p.sizes, p.ldc);
    return p;
}

static void multiply(const struct product *p) {
    gg_matmul_scaled(p->ta ? GG_TRANSPOSED : GG_PLAIN, p->tb ? GG_TRANSPOSED : GG_PLAIN, p->m, p->n, p->k,
                     p->alpha, p->a.values, p->lda, p->b.values, p->ldb, p->beta, p->c.values, p->ldc);
}

/* k products and sums, two factors and one more sum. */
static void check(const char *what, const struct product *p) {
    tensor_check(what, &p->c, p->expected, p->sizes, sum_units(p->k) + 4);
}

static void spoil(struct tensor *t, int64_t columns, int64_t stride) {
    for (int64_t i = 0; i < t->count; i++)
        if (i % stride < columns)
            ((float *)t->values)[i] = NAN;
}

/* Every form. Where C is not to be read it holds no numbers. */
static void compare(int64_t m, int64_t n, int64_t k, int64_t gap) {
    static const float factors[][2] = {{1, 0}, {1, 1}, {0.5f, -2}, {0, 3}};
    for (int form = 0; form < 16; form++) {
        struct product p = make(form, m, n, k, factors[form / 4][0], factors[form / 4][1], gap);
        if (p.beta == 0)
            spoil(&p.c, n, p.ldc);
        multiply(&p);
        check("product", &p);
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
    compare(33, 2, 1500, 0);
    compare(2, 127, 769, 3);
}

/* A and B are not read where they take no part. */
static void operands_without_part(void **state) {
    (void)state;
    for (int form = 0; form < 4; form++)
        for (int beta = 0; beta < 2; beta++) {
            struct product p = make(form, 17, 9, 5, 0, (float)beta, 2);
            spoil(&p.a, p.lda, p.lda);
            spoil(&p.b, p.ldb, p.ldb);
            if (beta == 0)
                spoil(&p.c, p.n, p.ldc);
            multiply(&p);
            check("alpha 0", &p);
            struct product empty = make(form, 17, 9, 0, 1, (float)beta, 2);
            if (beta == 0)
                spoil(&empty.c, empty.n, empty.ldc);
            multiply(&empty);
            check("k 0", &empty);
            case_end();
        }
}

/* gg_matmul's accumulate is a beta of 1; gg_matmul_stored of float32 operands is gg_matmul. */
static void accumulation(void **state) {
    (void)state;
    for (int accumulate = 0; accumulate < 2; accumulate++)
        for (int form = 0; form < 4; form++) {
            struct product p = make(form, 20, 31, 10, 1, (float)accumulate, 1);
            struct tensor stored = tensor_make(GG_PRECISION_FP32, 3, p.c.count);
            const enum gg_transpose ta = p.ta ? GG_TRANSPOSED : GG_PLAIN,
                                    tb = p.tb ? GG_TRANSPOSED : GG_PLAIN;
            gg_matmul(ta, tb, p.m, p.n, p.k, p.a.values, p.lda, p.b.values, p.ldb, accumulate, p.c.values,
                      p.ldc);
            check("gg_matmul", &p);
            gg_matmul_stored(GG_PRECISION_FP32, ta, tb, p.m, p.n, p.k, p.a.values, p.lda, p.b.values, p.ldb,
                             accumulate, GG_PRECISION_FP32, stored.values, p.ldc);
            assert_memory_equal(stored.values, p.c.values, tensor_bytes(&stored));
            case_end();
        }
}

/* The rank's threads together, and each by itself in a region. */
static void threads(void **state) {
    (void)state;
    enum { THREADS = 4 };
    struct product p[THREADS];
    const int before = omp_get_max_threads();
    for (int i = 0; i < THREADS; i++) {
        p[i] = make(0, 300, 199, 100, 1, 0, 0);
        omp_set_num_threads(i + 1);
        multiply(&p[i]);
        check("by the rank's threads", &p[i]);
        memset(p[i].c.values, 0, tensor_bytes(&p[i].c));
    }
    omp_set_num_threads(2);
#pragma omp parallel num_threads(THREADS)
    multiply(&p[omp_get_thread_num()]);
    assert_int_equal(omp_get_max_threads(), 2);
    omp_set_num_threads(before);
    for (int i = 0; i < THREADS; i++)
        check("a thread's own", &p[i]);
    case_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(products), cmocka_unit_test(operands_without_part),
                                       cmocka_unit_test(accumulation), cmocka_unit_test(threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
