#include "tests/reference/reference_matmul.h"

#include <math.h>

/* Element (row, column) of op(A) or op(B). */
static double element(const struct reference_operand *o, int64_t row, int64_t column) {
    return (double)gg_load(o->stored, o->values,
                           o->transposed ? column * o->stride + row : row * o->stride + column);
}

double reference_matmul_element(const struct reference_operand *a, const struct reference_operand *b,
                                int64_t i, int64_t j, int64_t k, double *size) {
    double sum = 0;
    *size = 0;
    for (int64_t l = 0; l < k; l++) {
        const double term = element(a, i, l) * element(b, l, j);
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

void reference_matmul(const struct reference_operand *a, const struct reference_operand *b, int64_t m,
                      int64_t n, int64_t k, double alpha, double beta, double *c, double *sizes,
                      int64_t stride) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            const int64_t at = i * stride + j;
            double size;
            const double sum = reference_matmul_element(a, b, i, j, k, &size);
            c[at] = alpha * sum + (beta == 0 ? 0 : beta * c[at]);
            sizes[at] = fabs(alpha) * size + (beta == 0 ? 0 : fabs(beta) * sizes[at]);
        }
}
