/* AdamW over a range of the flat buffers. All local.
 *
 * Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2, with PyTorch's order of
 * operations (torch.optim.AdamW), in float32:
 *   p <- p - lr wd p                 matrices only (the table's decay flag)
 *   m <- b1 m + (1 - b1) g
 *   v <- b2 v + (1 - b2) g^2
 *   p <- p - lr/(1 - b1^t) m / (sqrt(v)/sqrt(1 - b2^t) + eps)
 * Padding has a zero gradient and stays zero.
 */
#ifndef GG_CORE_TRAIN_ADAMW_H
#define GG_CORE_TRAIN_ADAMW_H

#include "core/kernels/storage.h"
#include "core/model/parameters.h"

#include <stdint.h>

struct gg_adamw {
    double beta1, beta2, eps, weight_decay;
};

/* One update of the elements [from, to) of the flat buffers.
 *   learning_rate  [in]  of this step
 *   step           [in]  t, the number of this update, from 1
 *   gradient_scale [in]  every gradient is multiplied by it first (clipping)
 *   gradients      [in]     (to - from) the range's part of the flat buffer
 *   first, second  [in,out] (to - from) moments m and v of the range
 *   weights        [in,out] (to - from) the range's part of the flat buffer
 *   rounded        [out]    (to - from) the new weights in bfloat16, written in the same pass; or NULL
 * Elements between tensors are not touched. The result does not depend on the number of threads. */
void gg_adamw_update(const struct gg_parameter_table *table, int64_t from, int64_t to,
                     const struct gg_adamw *adamw, double learning_rate, int64_t step, double gradient_scale,
                     const float *gradients, float *first, float *second, float *weights, gg_bf16 *rounded);

/* Sum of squares of the gradients in [from, to) that count for this rank (gg_parameter_owned), in double: the
 * sum over the grid's ranks is that of the whole model, each element counted once. Not finite when a gradient
 * is not. The result does not depend on the number of threads.
 *   gradients [in] (to - from) the range's part of the flat buffer */
double gg_gradient_square_sum(const struct gg_parameter_table *table, int64_t from, int64_t to,
                              const float *gradients);

#endif
