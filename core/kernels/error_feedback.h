/* Rounding to bf16 whose error is not lost: it is kept, and added to what is rounded next time (1-bit SGD, Seide et
 * al. 2014, section 2; for any compressor Karimireddy et al. 2019, algorithm 2).
 */
#ifndef GG_CORE_KERNELS_ERROR_FEEDBACK_H
#define GG_CORE_KERNELS_ERROR_FEEDBACK_H

#include "core/kernels/storage.h"

#include <stdint.h>

/* rounded[i] = values[i] + errors[i], to the nearest; errors[i] = what that is off by. */
void gg_round_with_errors(const float *values, float *errors, int64_t count, gg_bf16 *rounded);

/* The same in place: values[i] becomes the rounded one. */
void gg_settle_with_errors(float *values, float *errors, int64_t count);

#endif
