/* The triad of STREAM, plain (McCalpin 1995): a = b + s c.
 */
#ifndef GG_TESTS_REFERENCE_TRIAD_H
#define GG_TESTS_REFERENCE_TRIAD_H

#include <stdint.h>

void reference_triad(double *a, const double *b, const double *c, double s, int64_t count);

#endif
