#include "tests/reference/reference_rows.h"

void reference_rows_add(const double *x, const double *rows, int64_t tokens, int64_t period, int64_t width,
                        double *y) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++)
            y[t * width + c] = x[t * width + c] + rows[t % period * width + c];
}

void reference_rows_gradient(const double *d_y, int64_t tokens, int64_t period, int64_t width,
                             double *gradient) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++)
            gradient[t % period * width + c] += d_y[t * width + c];
}
