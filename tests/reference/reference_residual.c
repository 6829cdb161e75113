#include "tests/reference/reference_residual.h"

#include <stddef.h>

void reference_residual(const double *x, const double *branch, const double *bias, const double *mask,
                        int64_t tokens, int64_t width, double *y) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++) {
            const int64_t i = t * width + c;
            y[i] = x[i] + (mask != NULL ? mask[i] : 1) * (branch[i] + bias[c]);
        }
}

void reference_multiply(const double *x, const double *mask, int64_t count, double *y) {
    for (int64_t i = 0; i < count; i++)
        y[i] = mask[i] * x[i];
}
