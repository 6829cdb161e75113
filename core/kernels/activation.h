/* Activations that work element by element, with the bias of the map before them: both passes read the map's
 * output u and add the bias as they go, so that the sum never stands in memory. With v = u + bias:
 *   GELU, tanh approximation (Hendrycks and Gimpel 2016, section 2):
 *              y = v/2 (1 + tanh(sqrt(2/pi) (v + 0.044715 v^3)))
 *   GELU (the same, section 2): y = v Phi(v), Phi being the normal distribution (vector_math.h)
 *   ReLU:      y = max(v, 0)
 * All local; threads share the tokens. Activations are of the precision `stored` (storage.h).
 */
#ifndef GG_CORE_KERNELS_ACTIVATION_H
#define GG_CORE_KERNELS_ACTIVATION_H

#include "core/kernels/storage.h"

enum gg_activation { GG_ACTIVATION_GELU_TANH, GG_ACTIVATION_GELU, GG_ACTIVATION_RELU };

/* y[t, :] = activation(u[t, :] + bias).
 *   u, y (tokens, width), bias (width) or NULL: none */
void gg_activation_apply(enum gg_activation kind, enum gg_precision stored, const void *u, const float *bias,
                         void *y, int64_t tokens, int64_t width);

/* d_u = d_y activation'(u + bias), at 0 of ReLU 0; d_u may be d_y. y, where it was not kept, is recomputed in
 * the same pass, bit for bit; or NULL. All (tokens, width) but the bias, which may be NULL: none. */
void gg_activation_backward(enum gg_activation kind, enum gg_precision stored, const void *u,
                            const float *bias, const void *d_y, void *d_u, void *y, int64_t tokens,
                            int64_t width);

#endif
