/* GELU, tanh approximation, plain (Hendrycks and Gimpel 2016, "Gaussian error linear units", section 2).
 *   gelu(v)  = v/2 (1 + tanh z),  z = sqrt(2/pi) (v + 0.044715 v^3)
 *   gelu'(v) = (1 + tanh z)/2 + v/2 (1 - tanh^2 z) sqrt(2/pi) (1 + 3 * 0.044715 v^2)
 */
#ifndef GG_TESTS_REFERENCE_GELU_H
#define GG_TESTS_REFERENCE_GELU_H

#include <stdint.h>

double reference_gelu_value(double v);
double reference_gelu_slope(double v);

/* y = gelu(u + bias). u, y (tokens, width); bias (width) */
void reference_gelu(const double *u, const double *bias, int64_t tokens, int64_t width, double *y);

/* d_u = d_y gelu'(u + bias). */
void reference_gelu_backward(const double *u, const double *bias, const double *d_y, int64_t tokens,
                             int64_t width, double *d_u);

#endif
