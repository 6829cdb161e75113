/* Activations, plain, and their slopes.
 *   GELU, tanh approximation (Hendrycks and Gimpel 2016, "Gaussian error linear units", section 2):
 *     gelu(v)  = v/2 (1 + tanh z),  z = sqrt(2/pi) (v + 0.044715 v^3)
 *     gelu'(v) = (1 + tanh z)/2 + v/2 (1 - tanh^2 z) sqrt(2/pi) (1 + 3 * 0.044715 v^2)
 *   GELU (the same, section 2), Phi the normal distribution:
 *     gelu(v)  = v Phi(v),  Phi(v) = erfc(-v / sqrt(2)) / 2
 *     gelu'(v) = Phi(v) + v exp(-v^2 / 2) / sqrt(2 pi)
 *   ReLU: relu(v) = max(v, 0),  relu'(v) = 1 where v > 0, else 0
 */
#ifndef GG_TESTS_REFERENCE_ACTIVATION_H
#define GG_TESTS_REFERENCE_ACTIVATION_H

#include "core/kernels/activation.h"

double reference_activation_value(enum gg_activation kind, double v);
double reference_activation_slope(enum gg_activation kind, double v);

/* y = activation(u + bias). u, y (tokens, width); bias (width) or NULL: none */
void reference_activation(enum gg_activation kind, const double *u, const double *bias, int64_t tokens,
                          int64_t width, double *y);

/* d_u = d_y activation'(u + bias). */
void reference_activation_backward(enum gg_activation kind, const double *u, const double *bias,
                                   const double *d_y, int64_t tokens, int64_t width, double *d_u);

#endif
