/* Vectors added to rows, plain, and their gradients (sums over the rows that had them):
 *   y[t, :] = x[t, :] + rows[t mod period, :]
 *   d rows[r, :] += sum over t mod period = r of d_y[t, :]
 * A bias is one row for all (period 1); learned positions (Radford et al. 2018, section 3.1) are a row for
 * each place in a sequence.
 */
#ifndef GG_TESTS_REFERENCE_ROWS_H
#define GG_TESTS_REFERENCE_ROWS_H

#include <stdint.h>

/* x, y (tokens, width), rows (period, width) */
void reference_rows_add(const double *x, const double *rows, int64_t tokens, int64_t period, int64_t width,
                        double *y);

/* gradient [in,out] (period, width) */
void reference_rows_gradient(const double *d_y, int64_t tokens, int64_t period, int64_t width,
                             double *gradient);

#endif
