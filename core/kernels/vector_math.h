/* An exponential and the normal distribution, which compilers vectorise: branch-free, plain C, float32. Local.
 */
#ifndef GG_CORE_KERNELS_VECTOR_MATH_H
#define GG_CORE_KERNELS_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

/* e^x, with a relative error below 2e-7. 0 below -87.3 (no denormals), finite up to 88.3; NaN stays NaN.
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

/* The normal distribution Phi(v) = (1 + erf(v / sqrt(2))) / 2, off by less than 1.8e-7 (three units in the
 * last place of a number just below 1; two where the processor has fused multiply-add), and where it is small,
 * v < 0, by less than 5e-7 + 4e-8 v^2 of itself; 0 below -13.2. NaN stays NaN.
 *   density [out] its derivative exp(-v^2 / 2) / sqrt(2 pi), off by less than 3e-7 + 4e-8 v^2 of itself
 * Phi(-|v|) = exp(-v^2 / 2) Q(s) with s = (|v| - 3) / (|v| + 3), the variable of Shepherd and Laframboise
 * (1981, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x"); Q is the polynomial of degree 9 whose largest
 * relative error over 0 <= |v| <= 13.4 is least, 7e-9. */
static inline float gg_normalf(float v, float *density) {
    const float most = 20.0f; /* where the exponential is 0 and s still a number */
    const float size = v < 0 ? -v : v, a = most < size ? most : size;
    const float s = (a - 3.0f) / (a + 3.0f), e = gg_expf(-0.5f * v * v);
    float q = 5.415083433e-5f;
    q = q * s + 1.160373577e-4f;
    q = q * s - 3.399113193e-4f;
    q = q * s - 9.841826977e-4f;
    q = q * s + 2.904702676e-3f;
    q = q * s + 6.132183131e-3f;
    q = q * s - 4.621331394e-2f;
    q = q * s + 1.232250184e-1f;
    q = q * s - 2.064026147e-1f;
    q = q * s + 1.215139478e-1f;
    *density = 0.398942280401432678f * e;
    const float tail = e * q;
    return v < 0 ? tail : 1.0f - tail;
}

#endif
