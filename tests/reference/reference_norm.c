#include "tests/reference/reference_norm.h"

#include <math.h>
#include <string.h>

struct reference_moments reference_norm_moments(const struct gg_norm *norm, const double *x) {
    const int64_t width = norm->whole_width;
    struct reference_moments m = {0};
    for (int64_t c = 0; norm->centred && c < width; c++)
        m.mean += x[c] / (double)width;
    for (int64_t c = 0; c < width; c++)
        m.variance += (x[c] - m.mean) * (x[c] - m.mean) / (double)width;
    m.inverse = 1 / sqrt(m.variance + (double)norm->epsilon);
    return m;
}

void reference_norm(const struct gg_norm *norm, const double *x, const double *gain, const double *bias,
                    int64_t tokens, double *y) {
    const int64_t width = norm->whole_width;
    for (int64_t t = 0; t < tokens; t++) {
        const struct reference_moments m = reference_norm_moments(norm, x + t * width);
        for (int64_t c = 0; c < width; c++)
            y[t * width + c] =
                gain[c] * (x[t * width + c] - m.mean) * m.inverse + (bias != NULL ? bias[c] : 0);
    }
}

void reference_norm_backward(const struct gg_norm *norm, const double *x, const double *gain,
                             const double *d_y, int64_t tokens, double *d_x, double *d_gain, double *d_bias) {
    const int64_t width = norm->whole_width;
    memset(d_gain, 0, (size_t)width * sizeof *d_gain);
    memset(d_bias, 0, (size_t)width * sizeof *d_bias);
    for (int64_t t = 0; t < tokens; t++) {
        const double *row = x + t * width, *d = d_y + t * width;
        const struct reference_moments m = reference_norm_moments(norm, row);
        double mean = 0, product = 0; /* of dxhat, of dxhat xhat */
        for (int64_t c = 0; c < width; c++) {
            const double xhat = (row[c] - m.mean) * m.inverse;
            mean += norm->centred ? d[c] * gain[c] / (double)width : 0;
            product += d[c] * gain[c] * xhat / (double)width;
            d_gain[c] += d[c] * xhat;
            d_bias[c] += d[c];
        }
        for (int64_t c = 0; c < width; c++) {
            const double xhat = (row[c] - m.mean) * m.inverse;
            d_x[t * width + c] = (d[c] * gain[c] - mean - xhat * product) * m.inverse;
        }
    }
}
