/* Positions of tokens that are not learned: rotary embeddings of queries and keys, and sinusoids. All local.
 */
#ifndef GG_CORE_KERNELS_POSITIONS_H
#define GG_CORE_KERNELS_POSITIONS_H

#include "core/kernels/storage.h"

#include <stdbool.h>

/* Rotary position embedding (Su et al. 2021, eq. 15): at position t, features i and i + head_size / 2 of a
 * head (pairs as in GPT-NeoX and Hugging Face's Llama) are turned by the angle t theta^(-2 i / head_size).
 * Cosines and sines of the angles, worked out in double; head_size is even.
 *   table [out] (context, head_size): of each position head_size / 2 cosines, then the sines */
void gg_rotary_table(float *table, int64_t context, int64_t head_size, double theta);

/* Turns the rows of sequences of `time` tokens. Threads share the tokens.
 *   x, y  (tokens, heads * head_size) of the precision `stored`; y may be x
 *   table [in] of gg_rotary_table, with at least first + time positions
 *   first [in] position of each sequence's first token
 *   starts [in] (tokens) where in its sequence a token's text begins, from where positions count; NULL: 0 for all
 *   back  [in] by the negative angles, which is the backward pass: d_x from d_y */
void gg_rotate(enum gg_precision stored, const void *x, const float *table, void *y, int64_t tokens,
               int64_t time, int64_t first, const int32_t *starts, int64_t heads, int64_t head_size,
               bool back);

/* Sinusoids (Vaswani et al. 2017, section 3.5), worked out in double:
 *   PE(t, 2 i) = sin(t / 10000^(2 i / whole_width)),  PE(t, 2 i + 1) = cos(the same)
 *   rows [out] (context, width): features [first_feature, first_feature + width) of whole_width */
void gg_sinusoids(float *rows, int64_t context, int64_t whole_width, int64_t first_feature, int64_t width);

#endif
