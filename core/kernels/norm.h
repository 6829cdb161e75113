/* Layer normalisation over features (Ba et al. 2016, eq. 4): y = gain (x - mean) / sqrt(variance + 1e-5) +
 * bias.
 *
 * Split into passes, because features may be split over ranks: between passes the caller sums the per-token
 * numbers over the feature shards. `width` is this rank's, `whole_width` that of all shards. All local.
 * Activations are of the precision `stored` (storage.h). More than 16 rows are shared out over the rank's
 * threads.
 */
#ifndef GG_CORE_KERNELS_NORM_H
#define GG_CORE_KERNELS_NORM_H

#include "core/kernels/storage.h"

#include <stdbool.h>

/* Pass 1: sums[t] = sum of x over this rank's features. x (tokens, width), sums (tokens). */
void gg_norm_sums(enum gg_precision stored, const void *x, float *sums, int64_t tokens, int64_t width);

/* Pass 2, from the summed sums: squares[t] = sum of (x - mean)^2 over this rank's features. */
void gg_norm_squares(enum gg_precision stored, const void *x, const float *sums, float *squares,
                     int64_t tokens, int64_t width, int64_t whole_width);

/* Pass 3, from the summed sums and squares: the normalised rows.
 *   y     [out] (tokens, width), may not alias x
 *   stats [out] (tokens, 2) mean and 1/deviation, kept for the backward pass */
void gg_norm_apply(enum gg_precision stored, const void *x, const float *sums, const float *squares,
                   const float *gain, const float *bias, void *y, float *stats, int64_t tokens, int64_t width,
                   int64_t whole_width);

/* Backward, pass 1: with xhat = (x - mean) / deviation and dxhat = dy gain,
 *   sums[t] = (sum of dxhat, sum of dxhat xhat) over this rank's features; sums (tokens, 2). */
void gg_norm_backward_sums(enum gg_precision stored, const void *x, const float *stats, const float *gain,
                           const void *d_y, float *sums, int64_t tokens, int64_t width);

/* Backward, pass 2, from the summed sums:
 *   dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / deviation
 *   add [in]     d_x is added to, as where the residual stream's gradient passes by the norm
 *   d_x [in,out] (tokens, width) */
void gg_norm_backward_input(enum gg_precision stored, const void *x, const float *stats, const float *gain,
                            const void *d_y, const float *sums, bool add, void *d_x, int64_t tokens,
                            int64_t width, int64_t whole_width);

/* Backward, parameters: d_gain += sum over tokens of dy xhat, d_bias += sum over tokens of dy. Threads share
 * the columns. */
void gg_norm_backward_parameters(enum gg_precision stored, const void *x, const float *stats, const void *d_y,
                                 float *d_gain, float *d_bias, int64_t tokens, int64_t width);

#endif
