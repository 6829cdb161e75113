#include "tests/reference/reference_gelu.h"

#include <math.h>

static const double root = 0.79788456080286535588; /* sqrt(2 / pi) */

double reference_gelu_value(double v) {
    return v / 2 * (1 + tanh(root * (v + 0.044715 * v * v * v)));
}

double reference_gelu_slope(double v) {
    const double t = tanh(root * (v + 0.044715 * v * v * v));
    return (1 + t) / 2 + v / 2 * (1 - t * t) * root * (1 + 3 * 0.044715 * v * v);
}

void reference_gelu(const double *u, const double *bias, int64_t tokens, int64_t width, double *y) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++)
            y[t * width + c] = reference_gelu_value(u[t * width + c] + bias[c]);
}

void reference_gelu_backward(const double *u, const double *bias, const double *d_y, int64_t tokens,
                             int64_t width, double *d_u) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++)
            d_u[t * width + c] = d_y[t * width + c] * reference_gelu_slope(u[t * width + c] + bias[c]);
}
