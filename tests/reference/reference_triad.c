#include "tests/reference/reference_triad.h"

void reference_triad(double *a, const double *b, const double *c, double s, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        a[i] = b[i] + s * c[i];
}
