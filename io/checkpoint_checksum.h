/* A tensor's checksum: the sum (mod 2^64) over its elements of a hash of (index in the whole tensor, bits).
 * Any layout computes it: the sums of the parts add up. All local.
 *
 * The hash is MurmurHash3's 64-bit finaliser (Appleby 2011, fmix64) of (bits << 32) + index. It is a
 * bijection, so that one changed element always shows.
 */
#ifndef GG_IO_CHECKPOINT_CHECKSUM_H
#define GG_IO_CHECKPOINT_CHECKSUM_H

#include "core/model/parameters.h"

/* The sum over `count` consecutive elements, the first of which has the index `first`. */
uint64_t gg_checksum_run(uint64_t first, const float *values, int64_t count);

/* The sum over what this rank owns of a tensor; 0 when it owns nothing of it.
 *   values [in] the rank's flat buffer (weights or moments) */
uint64_t gg_checksum_part(const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                          const float *values);

#endif
