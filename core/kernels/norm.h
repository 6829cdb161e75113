/* Normalisation over features.
 *   layer norm (Ba et al. 2016, eq. 4):           y = gain (x - mean) / sqrt(mean((x - mean)^2) + epsilon) + bias
 *   RMSNorm (Zhang and Sennrich 2019, eq. 4): the same with the mean of x taken as 0
 *
 * Split into passes, because features may be split over ranks: between passes the caller sums the per-token
 * numbers over the feature shards. All local. More than 16 rows are shared out over the rank's threads.
 */
#ifndef GG_CORE_KERNELS_NORM_H
#define GG_CORE_KERNELS_NORM_H

#include "core/kernels/storage.h"

#include <stdbool.h>

struct gg_norm {
    enum gg_precision stored; /* of activations and their gradients (storage.h) */
    bool centred;             /* the mean is subtracted: layer norm; else RMSNorm */
    float epsilon;
    int64_t width, whole_width; /* features of this rank, and of all shards */
};

/* Pass 1: sums[t] = sum of x over this rank's features. x (tokens, width), sums (tokens). RMSNorm begins with
 * pass 2. */
void gg_norm_sums(const struct gg_norm *norm, const void *x, float *sums, int64_t tokens);

/* Pass 2, from the summed sums: squares[t] = sum of (x - mean)^2 over this rank's features.
 *   sums [in] (tokens), here and in pass 3; RMSNorm does not read it, and it may be NULL */
void gg_norm_squares(const struct gg_norm *norm, const void *x, const float *sums, float *squares,
                     int64_t tokens);

/* Pass 3, from the summed sums and squares: the normalised rows.
 *   gain, bias [in] (width); bias may be NULL: none
 *   y     [out] (tokens, width), may not alias x
 *   stats [out] (tokens, 2) mean (of RMSNorm 0) and 1/deviation, kept for the backward pass */
void gg_norm_apply(const struct gg_norm *norm, const void *x, const float *sums, const float *squares,
                   const float *gain, const float *bias, void *y, float *stats, int64_t tokens);

/* Backward, pass 1: with xhat = (x - mean) / deviation and dxhat = dy gain,
 *   sums[t] = (sum of dxhat, sum of dxhat xhat) over this rank's features; sums (tokens, 2). The first is
 * 0 of RMSNorm, which needs the second alone. */
void gg_norm_backward_sums(const struct gg_norm *norm, const void *x, const float *stats, const float *gain,
                           const void *d_y, float *sums, int64_t tokens);

/* Backward, pass 2, from the summed sums:
 *   layer norm: dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / deviation
 *   RMSNorm:    dx = (dxhat - xhat mean(dxhat xhat)) / deviation
 *   add [in]     d_x is added to, as where the residual stream's gradient passes by the norm
 *   d_x [in,out] (tokens, width) */
void gg_norm_backward_input(const struct gg_norm *norm, const void *x, const float *stats, const float *gain,
                            const void *d_y, const float *sums, bool add, void *d_x, int64_t tokens);

/* Backward, parameters: d_gain += sum over tokens of dy xhat, d_bias += sum over tokens of dy; d_bias may be
 * NULL: none. Threads share the columns, or of up to 256 columns the rows. */
void gg_norm_backward_parameters(const struct gg_norm *norm, const void *x, const float *stats,
                                 const void *d_y, float *d_gain, float *d_bias, int64_t tokens);

#endif
