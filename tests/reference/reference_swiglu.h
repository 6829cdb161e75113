/* SwiGLU, plain (Shazeer 2020, "GLU variants improve transformer", eq. 6), and its gradient.
 *   y = gate s up,  s = 1 / (1 + exp(-gate))
 *   d_gate = d_y up s (1 + gate (1 - s)),  d_up = d_y gate s
 */
#ifndef GG_TESTS_REFERENCE_SWIGLU_H
#define GG_TESTS_REFERENCE_SWIGLU_H

#include <stdint.h>

/* All (count). */
void reference_swiglu(const double *gate, const double *up, int64_t count, double *y);
void reference_swiglu_backward(const double *gate, const double *up, const double *d_y, int64_t count,
                               double *d_gate, double *d_up);

#endif
