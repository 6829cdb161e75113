/* SwiGLU (Shazeer 2020, eq. 6), what stands between its three maps: y = silu(gate) up, with
 *   silu(v) = v s,  s = 1 / (1 + exp(-v))
 * All local; threads share the elements. All arrays are (tokens, width), of the precision `stored`
 * (storage.h).
 */
#ifndef GG_CORE_KERNELS_SWIGLU_H
#define GG_CORE_KERNELS_SWIGLU_H

#include "core/kernels/storage.h"

void gg_swiglu(enum gg_precision stored, const void *gate, const void *up, void *y, int64_t tokens,
               int64_t width);

/*   d_gate = d_y up s (1 + gate (1 - s)),  d_up = d_y gate s
 *   d_gate [out] may be d_y
 *   y      [out] where it was not kept: recomputed in the same pass, bit for bit; or NULL */
void gg_swiglu_backward(enum gg_precision stored, const void *gate, const void *up, const void *d_y,
                        void *d_gate, void *d_up, void *y, int64_t tokens, int64_t width);

#endif
