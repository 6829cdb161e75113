/* float32 products, whichever library multiplies, against plain sums in double. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/kernels/matmul.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

static float *random_matrix(uint64_t stream, int64_t count) {
    float *values = gg_malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)gg_random_normal(31, stream, (uint64_t)i);
    return values;
}

/* C = alpha op(A) op(B) + beta C; what lies between the rows stays. */
static void plain_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const float *a,
                          int64_t lda, const float *b, int64_t ldb, double beta, float *c, int64_t ldc) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++)
                sum += (double)a[ta ? l * lda + i : i * lda + l] * (double)b[tb ? j * ldb + l : l * ldb + j];
            c[i * ldc + j] = (float)(alpha * sum + (beta == 0 ? 0 : beta * (double)c[i * ldc + j]));
        }
}

/* Every form, with rows `gap` further apart than they are long. Where C is not to be read it holds no
 * numbers.
 */
static void compare(int64_t m, int64_t n, int64_t k, int64_t gap) {
    static const float factors[][2] = {{1, 0}, {1, 1}, {0.5f, -2}, {0, 3}};
    for (int form = 0; form < 16; form++) {
        const bool ta = form & 1, tb = form & 2;
        const float alpha = factors[form / 4][0], beta = factors[form / 4][1];
        const int64_t lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
        float *a = random_matrix(1, (ta ? k : m) * lda), *b = random_matrix(2, (tb ? n : k) * ldb);
        float *got = random_matrix(3, m * ldc), *expected = random_matrix(3, m * ldc);
        for (int64_t i = 0; beta == 0 && i < m; i++)
            for (int64_t j = 0; j < n; j++)
                got[i * ldc + j] = NAN;
        plain_product(ta, tb, m, n, k, (double)alpha, a, lda, b, ldb, (double)beta, expected, ldc);
        gg_matmul_scaled(ta ? GG_TRANSPOSED : GG_PLAIN, tb ? GG_TRANSPOSED : GG_PLAIN, m, n, k, alpha, a, lda,
                         b, ldb, beta, got, ldc);
        check_close("product", got, expected, m * ldc, 2e-6);
        free(a);
        free(b);
        free(got);
        free(expected);
    }
}

static void products(void **state) {
    (void)state;
    compare(1, 1, 1, 0);
    compare(3, 5, 7, 2);
    compare(1, 65, 33, 0);
    compare(128, 64, 100, 13);
    compare(70, 129, 256, 1);
    compare(33, 2, 1500, 0);
}

/* gg_matmul's accumulate is a beta of 1. */
static void accumulation(void **state) {
    (void)state;
    enum { M = 20, N = 30, K = 10 };
    float *a = random_matrix(4, M * K), *b = random_matrix(5, K * N);
    float *got = random_matrix(6, M * N), *expected = random_matrix(6, M * N);
    for (int accumulate = 1; accumulate >= 0; accumulate--) {
        plain_product(false, false, M, N, K, 1, a, K, b, N, accumulate, expected, N);
        gg_matmul(GG_PLAIN, GG_PLAIN, M, N, K, a, K, b, N, accumulate, got, N);
        check_close("product", got, expected, M * N, 2e-6);
    }
    free(a);
    free(b);
    free(got);
    free(expected);
}

/* The rank's threads together, and each by itself in a region. */
static void threads(void **state) {
    (void)state;
    enum { M = 300, N = 200, K = 100, THREADS = 3 };
    float *a = random_matrix(7, M * K), *b = random_matrix(8, K * N);
    float *expected = gg_malloc(M * N * sizeof *expected), *got[THREADS];
    const int before = omp_get_max_threads();
    plain_product(false, false, M, N, K, 1, a, K, b, N, 0, expected, N);
    for (int i = 0; i < THREADS; i++) {
        got[i] = gg_malloc(M * N * sizeof *got[i]);
        omp_set_num_threads(i + 1);
        gg_matmul(GG_PLAIN, GG_PLAIN, M, N, K, a, K, b, N, false, got[i], N);
        check_close("by the rank's threads", got[i], expected, M * N, 2e-6);
        memset(got[i], 0, M * N * sizeof *got[i]);
    }
    omp_set_num_threads(2);
#pragma omp parallel num_threads(THREADS)
    gg_matmul(GG_PLAIN, GG_PLAIN, M, N, K, a, K, b, N, false, got[omp_get_thread_num()], N);
    assert_int_equal(omp_get_max_threads(), 2);
    omp_set_num_threads(before);
    for (int i = 0; i < THREADS; i++) {
        check_close("a thread's own", got[i], expected, M * N, 2e-6);
        free(got[i]);
    }
    free(a);
    free(b);
    free(expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(products), cmocka_unit_test(accumulation),
                                       cmocka_unit_test(threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
