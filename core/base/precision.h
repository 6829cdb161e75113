/* What a model computes in: how its activations, their gradients and the operands of its matmuls stand in
 * memory. Whatever is summed, and whatever the optimizer keeps, is float32 in both.
 */
#ifndef GG_CORE_BASE_PRECISION_H
#define GG_CORE_BASE_PRECISION_H

enum gg_precision { GG_PRECISION_FP32, GG_PRECISION_BF16 };

#endif
