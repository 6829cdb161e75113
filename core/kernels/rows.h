/* Sums over tokens for bias and norm gradients. Local.
 */
#ifndef GG_CORE_KERNELS_ROWS_H
#define GG_CORE_KERNELS_ROWS_H

#include <stdint.h>

/* x[t, :] += bias for each token.
 *   x (tokens, width), bias (width) */
void gg_bias_add(float *x, const float *bias, int64_t tokens, int64_t width);

/* gradient[c] += sum over tokens of d_y[t, c]. Threads share the columns, so that the order of summation does
 * not depend on their number.
 *   d_y (tokens, width), gradient (width) */
void gg_bias_gradient(const float *d_y, float *gradient, int64_t tokens, int64_t width);

#endif
