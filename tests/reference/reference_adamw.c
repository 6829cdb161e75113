#include "tests/reference/reference_adamw.h"

#include <math.h>

void reference_adamw(const struct reference_adamw *adamw, int64_t step, int64_t count, const double *g,
                     double *m, double *v, double *p) {
    const double b1 = adamw->beta1, b2 = adamw->beta2, rate = adamw->learning_rate, t = (double)step;
    for (int64_t i = 0; i < count; i++) {
        p[i] -= rate * adamw->weight_decay * p[i];
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        p[i] -= rate * (m[i] / (1 - pow(b1, t))) / (sqrt(v[i] / (1 - pow(b2, t))) + adamw->eps);
    }
}

double reference_square_sum(const float *values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    return sum;
}
