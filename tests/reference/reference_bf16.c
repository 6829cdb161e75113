#include "tests/reference/reference_bf16.h"

#include <math.h>

/* The distance is 2^(e - 7) for numbers in [2^e, 2^(e + 1)), and 2^-133 for denormals. */
static double ulp(double value) {
    int exponent;
    frexp(value, &exponent); /* value is in [2^(exponent - 1), 2^exponent) */
    return ldexp(1, value == 0 || exponent - 1 < -126 ? -133 : exponent - 8);
}

double reference_bf16_half_ulp(double value) {
    return ulp(value) / 2;
}

double reference_bf16(double value) {
    if (!isfinite(value))
        return value;
    const double rounded = nearbyint(value / ulp(value)) * ulp(value); /* ties go to even */
    return fabs(rounded) < ldexp(1, 128) ? rounded : copysign(INFINITY, value);
}
