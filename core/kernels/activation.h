/* GELU, tanh approximation (Hendrycks and Gimpel 2016, section 2), with the bias of the map before it: both
 * passes read the map's output u and add the bias as they go, so that the sum never stands in memory.
 *   gelu(v) = v/2 (1 + tanh(sqrt(2/pi) (v + 0.044715 v^3))),  v = u + bias
 * All local. Activations are of the precision `stored` (storage.h).
 */
#ifndef GG_CORE_KERNELS_ACTIVATION_H
#define GG_CORE_KERNELS_ACTIVATION_H

#include "core/kernels/storage.h"

/* y[t, :] = gelu(u[t, :] + bias).
 *   u, y (tokens, width), bias (width) */
void gg_gelu(enum gg_precision stored, const void *u, const float *bias, void *y, int64_t tokens,
             int64_t width);

/* d_u = d_y gelu'(u + bias); d_u may be d_y. y, where it was not kept, is recomputed in the same pass, bit
 * for bit; or NULL. All (tokens, width) but the bias. */
void gg_gelu_backward(enum gg_precision stored, const void *u, const float *bias, const void *d_y, void *d_u,
                      void *y, int64_t tokens, int64_t width);

#endif
