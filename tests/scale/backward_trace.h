/* When a backward pass makes which gradients final: what a simulated step plays instead of computing.
 */
#ifndef GG_TESTS_SCALE_BACKWARD_TRACE_H
#define GG_TESTS_SCALE_BACKWARD_TRACE_H

#include "core/base/status.h"

#include <stdint.h>

/* A step of the backward pass: its products' work, and from where on gradients are final after it. */
struct backward_step {
    double flops_per_token;
    int64_t final_from;
};

struct backward_trace {
    int64_t elements;     /* of the flat gradient buffer */
    double forward_flops; /* per token, up to the head's own gradients, which it makes at once */
    struct backward_step *steps;
    int count;
};

/* The trace of a preset, from its graph and the list of its steps.
 *   preset [in]  index into gg_preset_names
 *   layers [in]  blocks; 0: the preset's
 *   trace  [out] steps owned by the caller (free)
 * GG_USAGE: no such model. Local. */
gg_status backward_trace_make(int preset, int64_t layers, struct backward_trace *trace) GG_MUST_USE;

#endif
