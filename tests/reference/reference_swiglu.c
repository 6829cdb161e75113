#include "tests/reference/reference_swiglu.h"

#include <math.h>

void reference_swiglu(const double *gate, const double *up, int64_t count, double *y) {
    for (int64_t i = 0; i < count; i++)
        y[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
}

void reference_swiglu_backward(const double *gate, const double *up, const double *d_y, int64_t count,
                               double *d_gate, double *d_up) {
    for (int64_t i = 0; i < count; i++) {
        const double s = 1 / (1 + exp(-gate[i])), rest = 1 / (1 + exp(gate[i]));
        d_gate[i] = d_y[i] * up[i] * s * (1 + gate[i] * rest);
        d_up[i] = d_y[i] * gate[i] * s;
    }
}
