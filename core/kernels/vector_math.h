/* An exponential that compilers vectorise: branch-free, plain C, float32, relative error below 2e-7. Local.
 */
#ifndef GG_CORE_KERNELS_VECTOR_MATH_H
#define GG_CORE_KERNELS_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

/* e^x. 0 below -87.3 (no denormals), finite up to 88.3; NaN stays NaN.
 * x = n ln 2 + r, |r| <= ln 2 / 2, e^r by the Cephes polynomial (Moshier, expf). */
static inline float gg_expf(float x) {
    const float low = -87.3f, high = 88.3f;
    float clamped = low > x ? low : x;
    clamped = high < clamped ? high : clamped;
    /* Adding 1.5 * 2^23 rounds to an integer, which then stands in the lowest bits. */
    const float shift = 12582912.0f, shifted = clamped * 1.44269504088896341f + shift;
    const float rounded = shifted - shift;
    const float r = (clamped - rounded * 0.693359375f) + rounded * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    /* 2^n by its exponent bits; a NaN gives any n, and p carries it through. */
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127u) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return x < low ? 0.0f : p * power;
}

#endif
