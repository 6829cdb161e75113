/* GELU, tanh approximation (Hendrycks and Gimpel 2016, section 2), with the bias of the map before it.
 *   gelu(u) = u/2 (1 + tanh(sqrt(2/pi) (u + 0.044715 u^3)))
 * All local. Activations are of the precision `stored` (storage.h).
 */
#ifndef GG_CORE_KERNELS_ACTIVATION_H
#define GG_CORE_KERNELS_ACTIVATION_H

#include "core/kernels/storage.h"

/* u[t, :] += bias, kept for the backward pass; y = gelu(u).
 *   u [in,out] (tokens, width); y [out] (tokens, width) */
void gg_bias_gelu(enum gg_precision stored, void *u, const float *bias, void *y, int64_t tokens,
                  int64_t width);

/* d_u = d_y gelu'(u); d_u may be d_y. y, where it was not kept, becomes gelu(u) again, in the same pass; or
 * NULL. All (tokens, width). */
void gg_gelu_backward(enum gg_precision stored, const void *u, const void *d_y, void *d_u, void *y,
                      int64_t tokens, int64_t width);

#endif
