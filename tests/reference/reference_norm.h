/* Layer normalisation over features, plain (Ba et al. 2016, "Layer normalization", eq. 4).
 *   xhat = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + 1e-5)
 *   y = gain xhat + bias
 * and its gradient, the chain rule through mean and variance:
 *   dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / deviation,  dxhat = dy gain
 *   dgain = sum over tokens of dy xhat,  dbias = sum over tokens of dy
 */
#ifndef GG_TESTS_REFERENCE_NORM_H
#define GG_TESTS_REFERENCE_NORM_H

#include <stdint.h>

/* Mean, mean square distance from it, and 1 / sqrt(variance + 1e-5), of one token. */
struct reference_moments {
    double mean, variance, inverse;
};
struct reference_moments reference_norm_moments(const double *x, int64_t width);

/* x, y (tokens, width); gain, bias (width). */
void reference_norm(const double *x, const double *gain, const double *bias, int64_t tokens, int64_t width,
                    double *y);

/* d_x [out] (tokens, width); d_gain, d_bias [out] (width) */
void reference_norm_backward(const double *x, const double *gain, const double *d_y, int64_t tokens,
                             int64_t width, double *d_x, double *d_gain, double *d_bias);

#endif
