/* A tensor's checksum: the sum (mod 2^64) over its elements of a hash of (index in the whole tensor, bits).
 * Any layout computes it: the sums of the parts add up. All local.
 *
 * The hash is MurmurHash3's 64-bit finaliser (Appleby 2011, fmix64) of (bits << 32) + index. It is a
 * bijection, so that one changed element always shows.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_CHECKSUM_INTERNAL_H
#define GG_IO_CHECKPOINT_CHECKPOINT_CHECKSUM_INTERNAL_H

#include "io/checkpoint/tensor_piece.h"

/* The sum over `count` consecutive elements, the first of which has the index `first`. */
uint64_t gg_checksum_run(uint64_t first, const float *values, int64_t count);

/* The sum over a piece of a rank's part.
 *   values [in] the piece's first element; its rows stand parameter->local_columns apart */
uint64_t gg_checksum_piece(const struct gg_parameter_table *table, const struct gg_parameter *parameter,
                           const struct gg_tensor_piece *piece, const float *values);

#endif
