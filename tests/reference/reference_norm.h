/* Norms over features, plain.
 *   layer norm (Ba et al. 2016, "Layer normalization", eq. 4):
 *     xhat = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)
 *   RMSNorm (Zhang and Sennrich 2019, "Root mean square layer normalization", eq. 4):
 *     xhat = x / sqrt(mean(x^2) + epsilon)
 *   y = gain xhat + bias
 * and their gradients, the chain rule through mean and variance, the first mean being 0 of RMSNorm:
 *   dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / deviation,  dxhat = dy gain
 *   dgain = sum over tokens of dy xhat,  dbias = sum over tokens of dy
 */
#ifndef GG_TESTS_REFERENCE_NORM_H
#define GG_TESTS_REFERENCE_NORM_H

#include "core/kernels/norm.h"

/* Of one token: mean (of RMSNorm 0), mean square distance from it, and 1 / sqrt(variance + epsilon). */
struct reference_moments {
    double mean, variance, inverse;
};
struct reference_moments reference_norm_moments(const struct gg_norm *norm, const double *x);

/* Of `norm`, what is stored is not used, and all features are here.
 *   x, y (tokens, whole_width); gain, bias (whole_width); bias NULL: none */
void reference_norm(const struct gg_norm *norm, const double *x, const double *gain, const double *bias,
                    int64_t tokens, double *y);

/* d_x [out] (tokens, whole_width); d_gain, d_bias [out] (whole_width) */
void reference_norm_backward(const struct gg_norm *norm, const double *x, const double *gain,
                             const double *d_y, int64_t tokens, double *d_x, double *d_gain, double *d_bias);

#endif
