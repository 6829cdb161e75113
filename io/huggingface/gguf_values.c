#include "io/huggingface/gguf_values.h"

#include "core/kernels/storage.h"

#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "GGUF files hold little-endian numbers");

static const uint16_t infinite_half = 0x7c00;

enum { BLOCK_BYTES = 2 + GG_GGUF_BLOCK };

int64_t gg_gguf_bytes(enum gg_gguf_type type, int64_t count) {
    switch (type) {
    case GG_GGUF_F32:
        return 4 * count;
    case GG_GGUF_F16:
    case GG_GGUF_BF16:
        return 2 * count;
    case GG_GGUF_Q8_0:
        GG_ASSERT(count % GG_GGUF_BLOCK == 0);
        return count / GG_GGUF_BLOCK * BLOCK_BYTES;
    }
    return 0;
}

/* The nearest half, ties to even; what is not a number stays so, and what is beyond the largest becomes infinite. */
static uint16_t round_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return sign | 0x7e00u;
    if (bits >= 0x477ff000u) /* 65520, halfway to the power of two behind the largest */
        return sign | infinite_half;
    if (bits < 0x38800000u) { /* below 2^-14 halves are multiples of 2^-24, which the addition rounds to */
        float size;
        memcpy(&size, &bits, sizeof size);
        size += 0.5f;
        memcpy(&bits, &size, sizeof bits);
        return sign | (uint16_t)(bits - 0x3f000000u);
    }
    const uint32_t rounded = bits - 0x38000000u + 0xfffu + (bits >> 13 & 1u);
    return sign | (uint16_t)(rounded >> 13);
}

static gg_status fail_large(float value, const char *type) {
    return gg_fail(GG_BAD_DATA, "%g is no number that %s can hold; choose bf16 or fp32", (double)value, type);
}

static gg_status round_block(const float *values, unsigned char *to) {
    float largest = 0;
    for (int i = 0; i < GG_GGUF_BLOCK; i++) {
        if (!isfinite(values[i]))
            return fail_large(values[i], "q8_0");
        if (fabsf(values[i]) > largest)
            largest = fabsf(values[i]);
    }
    const float d = largest / 127, inverse = d > 0 ? 1 / d : 0;
    const uint16_t half = round_half(d);
    if (half == infinite_half || !isfinite(inverse))
        return fail_large(largest, "q8_0");
    memcpy(to, &half, sizeof half);
    for (int i = 0; i < GG_GGUF_BLOCK; i++)
        to[2 + i] = (unsigned char)(signed char)roundf(values[i] * inverse);
    return GG_OK;
}

gg_status gg_gguf_round(enum gg_gguf_type type, const float *values, int64_t count, void *to) {
    unsigned char *bytes = to;
    switch (type) {
    case GG_GGUF_F32:
        memcpy(to, values, (size_t)count * sizeof *values);
        return GG_OK;
    case GG_GGUF_F16:
        for (int64_t i = 0; i < count; i++) {
            const uint16_t half = round_half(values[i]);
            if ((half & 0x7fffu) == infinite_half && isfinite(values[i]))
                return fail_large(values[i], "f16");
            memcpy(bytes + 2 * i, &half, sizeof half);
        }
        return GG_OK;
    case GG_GGUF_BF16:
        for (int64_t i = 0; i < count; i++) {
            const gg_bf16 rounded = gg_bf16_round(values[i]);
            memcpy(bytes + 2 * i, &rounded, sizeof rounded);
        }
        return GG_OK;
    case GG_GGUF_Q8_0:
        for (int64_t i = 0; i < count; i += GG_GGUF_BLOCK)
            GG_TRY(round_block(values + i, bytes + gg_gguf_bytes(type, i)));
        return GG_OK;
    }
    return GG_OK;
}
