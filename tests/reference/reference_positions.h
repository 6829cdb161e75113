/* Positions, plain.
 *   rotary (Su et al. 2021, "RoFormer", eq. 15), of features i and i + HS/2 of a head at position t:
 *     (a, b) -> (a cos p - b sin p, a sin p + b cos p),  p = t theta^(-2 i / HS)
 *   and its gradient, the same by -p: a rotation's transpose
 *   sinusoids (Vaswani et al. 2017, "Attention is all you need", section 3.5):
 *     PE(t, 2 i) = sin(t / 10000^(2 i / C)),  PE(t, 2 i + 1) = cos(t / 10000^(2 i / C))
 */
#ifndef GG_TESTS_REFERENCE_POSITIONS_H
#define GG_TESTS_REFERENCE_POSITIONS_H

#include <stdint.h>

/* The angle of features i and i + head_size / 2 at a position. */
double reference_rotary_angle(int64_t position, int64_t i, int64_t head_size, double theta);

/* One head's features at a position, by the angles times `sign`. x, y (head_size) */
void reference_rotate(const double *x, int64_t position, int64_t head_size, double theta, double sign,
                      double *y);

double reference_sinusoid(int64_t position, int64_t feature, int64_t width);

#endif
