#include "tests/reference/reference_activation.h"

#include <math.h>

static const double root = 0.79788456080286535588; /* sqrt(2 / pi) */

static double gelu_tanh_slope(double v) {
    const double t = tanh(root * (v + 0.044715 * v * v * v));
    return (1 + t) / 2 + v / 2 * (1 - t * t) * root * (1 + 3 * 0.044715 * v * v);
}

double reference_activation_value(enum gg_activation kind, double v) {
    if (kind == GG_ACTIVATION_GELU_TANH)
        return v / 2 * (1 + tanh(root * (v + 0.044715 * v * v * v)));
    if (kind == GG_ACTIVATION_GELU)
        return v * erfc(-v / sqrt(2)) / 2;
    return fmax(v, 0);
}

double reference_activation_slope(enum gg_activation kind, double v) {
    if (kind == GG_ACTIVATION_GELU_TANH)
        return gelu_tanh_slope(v);
    if (kind == GG_ACTIVATION_GELU)
        return erfc(-v / sqrt(2)) / 2 + v * exp(-v * v / 2) * root / 2;
    return v > 0 ? 1 : 0;
}

void reference_activation(enum gg_activation kind, const double *u, const double *bias, int64_t tokens,
                          int64_t width, double *y) {
    for (int64_t i = 0; i < tokens * width; i++)
        y[i] = reference_activation_value(kind, u[i] + (bias != NULL ? bias[i % width] : 0));
}

void reference_activation_backward(enum gg_activation kind, const double *u, const double *bias,
                                   const double *d_y, int64_t tokens, int64_t width, double *d_u) {
    for (int64_t i = 0; i < tokens * width; i++)
        d_u[i] = d_y[i] * reference_activation_slope(kind, u[i] + (bias != NULL ? bias[i % width] : 0));
}
