/* Biases and positions: adding them, and their gradients as sums over tokens. Local. Activations are of the
 * precision `stored` (storage.h).
 */
#ifndef GG_CORE_KERNELS_ROWS_H
#define GG_CORE_KERNELS_ROWS_H

#include "core/kernels/storage.h"

/* x[t, :] += bias for each token.
 *   x (tokens, width), bias (width) */
void gg_bias_add(enum gg_precision stored, void *x, const float *bias, int64_t tokens, int64_t width);

/* x *= factor.
 *   x (tokens, width) */
void gg_rows_scale(enum gg_precision stored, void *x, float factor, int64_t tokens, int64_t width);

/* gradient[c] += sum over tokens of d_y[t, c]. Threads share the columns, so that the order of summation does
 * not depend on their number.
 *   d_y (tokens, width), gradient (width) */
void gg_bias_gradient(enum gg_precision stored, const void *d_y, float *gradient, int64_t tokens,
                      int64_t width);

/* x[t, :] += positions[t mod time - starts[t], :], for sequences of `time` tokens.
 *   x (tokens, width), positions (time, width)
 *   starts [in] (tokens) where in its sequence a token's text begins; NULL: 0 for all */
void gg_positions_add(enum gg_precision stored, void *x, const float *positions, const int32_t *starts,
                      int64_t tokens, int64_t time, int64_t width);

/* gradient[t mod time - starts[t], :] += d_y[t, :], in the order of the tokens, whatever the threads. */
void gg_positions_gradient(enum gg_precision stored, const void *d_y, float *gradient, const int32_t *starts,
                           int64_t tokens, int64_t time, int64_t width);

#endif
