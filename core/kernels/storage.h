/* Activations in memory: float32, or bfloat16 (the upper half of a float32: 8 bits of exponent and 8 of
 * significand, one of them implied).
 *
 * A kernel is written once, over gg_load and gg_store, and computes in float32. It takes untyped pointers and
 * their precision; GG_SPECIALISE makes the compiler emit a loop for each, without a branch inside. Local.
 */
#ifndef GG_CORE_KERNELS_STORAGE_H
#define GG_CORE_KERNELS_STORAGE_H

#include "core/base/precision.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t gg_bf16;

static inline float gg_bf16_value(gg_bf16 stored) {
    const uint32_t bits = (uint32_t)stored << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest, ties to even; NaN stays NaN, and what is beyond the largest becomes infinite. */
static inline gg_bf16 gg_bf16_round(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return (gg_bf16)(value == value ? rounded : 0x7fc0u);
}

static inline size_t gg_stored_bytes(enum gg_precision precision) {
    return precision == GG_PRECISION_BF16 ? sizeof(gg_bf16) : sizeof(float);
}

/* Where element `index` stands. */
static inline void *gg_at(enum gg_precision precision, const void *values, int64_t index) {
    return (char *)values + index * (int64_t)gg_stored_bytes(precision);
}

static inline float gg_load(enum gg_precision precision, const void *values, int64_t index) {
    return precision == GG_PRECISION_BF16 ? gg_bf16_value(((const gg_bf16 *)values)[index])
                                          : ((const float *)values)[index];
}

static inline void gg_store(enum gg_precision precision, void *values, int64_t index, float value) {
    if (precision == GG_PRECISION_BF16)
        ((gg_bf16 *)values)[index] = gg_bf16_round(value);
    else
        ((float *)values)[index] = value;
}

/* Sixteen at once, for kernels that the compiler would not vectorise as well. `values` needs no alignment. */
typedef float gg_floats16 __attribute__((vector_size(64)));

static inline gg_floats16 gg_load16(enum gg_precision precision, const void *values) {
    typedef uint32_t bits16 __attribute__((vector_size(64)));
    typedef uint16_t stored16 __attribute__((vector_size(32)));
    gg_floats16 loaded;
    if (precision == GG_PRECISION_BF16) {
        stored16 stored;
        memcpy(&stored, values, sizeof stored);
        loaded = (gg_floats16)(__builtin_convertvector(stored, bits16) << 16);
    } else {
        memcpy(&loaded, values, sizeof loaded);
    }
    return loaded;
}

static inline void gg_store16(enum gg_precision precision, void *values, gg_floats16 from) {
    typedef uint32_t bits16 __attribute__((vector_size(64)));
    typedef uint16_t stored16 __attribute__((vector_size(32)));
    if (precision == GG_PRECISION_BF16) {
        /* NOLINTNEXTLINE(misc-redundant-expression): what is not a number differs from itself */
        const bits16 bits = (bits16)from, number = (bits16)(from == from);
        const bits16 rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
        const stored16 stored = __builtin_convertvector((rounded & number) | (0x7fc0u & ~number), stored16);
        memcpy(values, &stored, sizeof stored);
    } else {
        memcpy(values, &from, sizeof from);
    }
}

/* Stores past the caches, for results too large to be found there again; where the processor cannot, a plain
 * store. `values` is 64-byte aligned. A thread's own until it calls gg_stream_end. */
static inline void gg_stream16(float *values, gg_floats16 from) {
#if defined(__clang__)
    __builtin_nontemporal_store(from, (gg_floats16 *)(void *)values);
#elif defined(__AVX512F__)
    __builtin_ia32_movntps512(values, from);
#elif defined(__SSE__)
    typedef float vector4 __attribute__((vector_size(16)));
    vector4 parts[4];
    memcpy(parts, &from, sizeof parts);
    for (int i = 0; i < 4; i++)
        __builtin_ia32_movntps(values + 4 * i, parts[i]);
#else
    memcpy(values, &from, sizeof from);
#endif
}

static inline void gg_stream_end(void) {
#if defined(__SSE__)
    __builtin_ia32_sfence();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* (count) of them, sixteen at a time. */
static inline void gg_load_floats(enum gg_precision precision, const void *values, int64_t count,
                                  float *loaded) {
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const gg_floats16 some = gg_load16(precision, gg_at(precision, values, i));
        memcpy(loaded + i, &some, sizeof some);
    }
    for (; i < count; i++)
        loaded[i] = gg_load(precision, values, i);
}

static inline void gg_store_floats(enum gg_precision precision, void *values, int64_t count,
                                   const float *from) {
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        gg_floats16 some;
        memcpy(&some, from + i, sizeof some);
        gg_store16(precision, gg_at(precision, values, i), some);
    }
    for (; i < count; i++)
        gg_store(precision, values, i, from[i]);
}

/* The inner part of a kernel; its first argument is the precision. */
#define GG_KERNEL_BODY static inline __attribute__((always_inline))

/* Calls a kernel's body with its precision as a constant. */
#define GG_SPECIALISE(body, precision, ...)                                                                  \
    ((precision) == GG_PRECISION_BF16 ? body(GG_PRECISION_BF16, __VA_ARGS__)                                 \
                                      : body(GG_PRECISION_FP32, __VA_ARGS__))

/* Between float32 and bfloat16. (count) each; no overlap. Uses the rank's threads. */
void gg_bf16_from_floats(const float *values, gg_bf16 *rounded, int64_t count);
void gg_floats_from_bf16(const gg_bf16 *stored, float *values, int64_t count);

#endif
