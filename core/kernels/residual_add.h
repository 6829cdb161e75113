/* The residual stream: adding a branch to it, with the bias of the map before and dropout. All local.
 * Activations are of the precision `stored` (storage.h).
 */
#ifndef GG_CORE_KERNELS_RESIDUAL_ADD_H
#define GG_CORE_KERNELS_RESIDUAL_ADD_H

#include "core/kernels/dropout.h"
#include "core/kernels/storage.h"

#include <stddef.h>
#include <stdint.h>

/* Scratch of a row per thread, which the functions below need where there is dropout. */
size_t gg_residual_workspace_bytes(int64_t width, int threads);

/* One token of the function below, for a caller that goes on working on the row while it is near.
 *   mask [in] (width) multipliers of dropout, or NULL */
void gg_residual_add_row(enum gg_precision stored, const void *x, const void *branch, const float *bias,
                         const float *mask, void *y, int64_t width);

/* y = x + dropout(branch + bias). y may be x.
 *   x, branch, y (tokens, width); bias (width), or NULL: none */
void gg_residual_add(enum gg_precision stored, const void *x, const void *branch, const float *bias,
                     const struct gg_dropout_rows *rows, void *y, int64_t tokens, int64_t width,
                     void *workspace);

/* y = dropout(x); y may be x. Also its own backward pass. (tokens, width) */
void gg_dropout_apply(enum gg_precision stored, const void *x, const struct gg_dropout_rows *rows, void *y,
                      int64_t tokens, int64_t width, void *workspace);

#endif
