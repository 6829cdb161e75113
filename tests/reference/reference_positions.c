#include "tests/reference/reference_positions.h"

#include <math.h>

double reference_rotary_angle(int64_t position, int64_t i, int64_t head_size, double theta) {
    return (double)position / pow(theta, 2 * (double)i / (double)head_size);
}

void reference_rotate(const double *x, int64_t position, int64_t head_size, double theta, double sign,
                      double *y) {
    const int64_t half = head_size / 2;
    for (int64_t i = 0; i < half; i++) {
        const double angle = sign * reference_rotary_angle(position, i, head_size, theta);
        y[i] = x[i] * cos(angle) - x[half + i] * sin(angle);
        y[half + i] = x[i] * sin(angle) + x[half + i] * cos(angle);
    }
}

double reference_sinusoid(int64_t position, int64_t feature, int64_t width) {
    const double i = (double)(feature / 2), angle = (double)position / pow(10000, 2 * i / (double)width);
    return feature % 2 == 0 ? sin(angle) : cos(angle);
}
