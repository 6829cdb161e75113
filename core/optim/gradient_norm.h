/* The gradient's norm, for clipping and for reports. Local.
 */
#ifndef GG_CORE_OPTIM_GRADIENT_NORM_H
#define GG_CORE_OPTIM_GRADIENT_NORM_H

#include "core/model/parameters.h"

#include <stdint.h>

/* Sum of squares of the gradients in [from, to) that count for this rank (gg_parameter_owned), in double: the
 * sum over the grid's ranks is that of the whole model, each element counted once. Not finite when a gradient
 * is not. The result does not depend on the number of threads.
 *   gradients [in] (to - from) the range's part of the flat buffer */
double gg_gradient_square_sum(const struct gg_parameter_table *table, int64_t from, int64_t to,
                              const float *gradients);

#endif
