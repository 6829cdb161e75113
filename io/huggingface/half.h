/* IEEE 754 half precision: a sign, 5 bits of exponent, 10 of significand. Local.
 */
#ifndef GG_IO_HUGGINGFACE_HALF_H
#define GG_IO_HUGGINGFACE_HALF_H

#include <stdint.h>
#include <string.h>

/* The number that a half is, exactly; what is not a number keeps its bits. */
static inline float gg_half_value(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 31u,
                   fraction = half & 0x3ffu;
    float value;
    if (exponent == 0) { /* subnormal: fraction x 2^-24 */
        value = (float)fraction * 0x1p-24f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    const uint32_t bits = sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
