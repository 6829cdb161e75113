/* The residual stream, plain (He et al. 2016, "Deep residual learning", eq. 1, with dropout of the branch as
 * in Vaswani et al. 2017, section 5.4):
 *   y = x + mask (branch + bias)
 * and dropout alone, y = mask x, which is its own backward pass.
 */
#ifndef GG_TESTS_REFERENCE_RESIDUAL_H
#define GG_TESTS_REFERENCE_RESIDUAL_H

#include <stdint.h>

/* x, branch, mask, y (tokens, width), bias (width); mask NULL: no dropout. */
void reference_residual(const double *x, const double *branch, const double *bias, const double *mask,
                        int64_t tokens, int64_t width, double *y);

void reference_multiply(const double *x, const double *mask, int64_t count, double *y);

#endif
