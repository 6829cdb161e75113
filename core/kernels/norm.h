/* Layer normalisation over features (Ba et al. 2016, eq. 4): y = gain (x - mean) / sqrt(variance + 1e-5) +
 * bias.
 *
 * Split into passes, because features may be split over ranks: between passes the caller sums the per-token
 * numbers over the feature shards. `width` is this rank's, `whole_width` that of all shards. All local.
 */
#ifndef GG_CORE_KERNELS_NORM_H
#define GG_CORE_KERNELS_NORM_H

#include <stdint.h>

/* Pass 1: sums[t] = sum of x over this rank's features. x (tokens, width), sums (tokens). */
void gg_norm_sums(const float *x, float *sums, int64_t tokens, int64_t width);

/* Pass 2, from the summed sums: squares[t] = sum of (x - mean)^2 over this rank's features. */
void gg_norm_squares(const float *x, const float *sums, float *squares, int64_t tokens, int64_t width,
                     int64_t whole_width);

/* Pass 3, from the summed sums and squares: the normalised rows.
 *   y     [out] (tokens, width), may not alias x
 *   stats [out] (tokens, 2) mean and 1/deviation, kept for the backward pass */
void gg_norm_apply(const float *x, const float *sums, const float *squares, const float *gain,
                   const float *bias, float *y, float *stats, int64_t tokens, int64_t width,
                   int64_t whole_width);

/* Backward, pass 1: with xhat = (x - mean) / deviation and dxhat = dy gain,
 *   sums[t] = (sum of dxhat, sum of dxhat xhat) over this rank's features; sums (tokens, 2). */
void gg_norm_backward_sums(const float *x, const float *stats, const float *gain, const float *d_y,
                           float *sums, int64_t tokens, int64_t width);

/* Backward, pass 2, from the summed sums:
 *   dx += (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / deviation
 *   d_x [in,out] (tokens, width) is added to: the residual stream's gradient passes by the norm */
void gg_norm_backward_input(const float *x, const float *stats, const float *gain, const float *d_y,
                            const float *sums, float *d_x, int64_t tokens, int64_t width,
                            int64_t whole_width);

/* Backward, parameters: d_gain += sum over tokens of dy xhat, d_bias += sum over tokens of dy. Threads share
 * the columns. */
void gg_norm_backward_parameters(const float *x, const float *stats, const float *d_y, float *d_gain,
                                 float *d_bias, int64_t tokens, int64_t width);

#endif
