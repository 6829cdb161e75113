/* Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2,
 * 3", section 3.3). A number is a pure function of (seed, stream, index): the same for every layout, any
 * order, any thread. All local.
 */
#ifndef GG_CORE_BASE_RANDOM_H
#define GG_CORE_BASE_RANDOM_H

#include <stdint.h>

/* The streams of a run; a stream's numbers are independent of every other's. The low 32 bits are free for the
 * user of the stream (a layer, a tensor). */
enum gg_random_stream {
    GG_STREAM_INIT = 1,    /* initial weights; low bits: tensor */
    GG_STREAM_DROPOUT = 2, /* dropout masks; low bits: site */
    GG_STREAM_ORDER = 3,   /* order of the training samples */
    GG_STREAM_SPLIT = 4,   /* training/validation split of documents */
    GG_STREAM_SAMPLE = 5,  /* generation; low bits: text */
    GG_STREAM_CORPUS = 6,  /* seeds of a blend's corpora */
};
#define GG_STREAM(stream, low) ((uint64_t)(stream) << 32 | (uint32_t)(low))

/* Four 32-bit numbers for (seed, stream, index). */
static inline void gg_random_block(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4]) {
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* 64 random bits. */
static inline uint64_t gg_random_bits(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t block[4];
    gg_random_block(seed, stream, index, block);
    return (uint64_t)block[1] << 32 | block[0];
}

/* Uniform in [0, 1), 53 bits. */
double gg_random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* Standard normal (Box and Muller 1958). */
double gg_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

#endif
