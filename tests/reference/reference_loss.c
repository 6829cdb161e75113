#include "tests/reference/reference_loss.h"

#include <math.h>
#include <stddef.h>

double reference_log_sum(const double *logits, int64_t vocab) {
    double largest = logits[0], sum = 0;
    for (int64_t v = 1; v < vocab; v++)
        largest = fmax(largest, logits[v]);
    for (int64_t v = 0; v < vocab; v++)
        sum += exp(logits[v] - largest);
    return largest + log(sum);
}

double reference_loss(const double *logits, const int32_t *targets, const float *weights, int64_t tokens,
                      int64_t stride, int64_t vocab) {
    double loss = 0;
    for (int64_t t = 0; t < tokens; t++) {
        const double *row = logits + t * stride, weight = weights != NULL ? (double)weights[t] : 1;
        loss += weight * (reference_log_sum(row, vocab) - row[targets[t]]);
    }
    return loss;
}

void reference_loss_backward(const double *logits, const int32_t *targets, const float *weights, double scale,
                             int64_t tokens, int64_t stride, int64_t vocab, double *d_logits) {
    for (int64_t t = 0; t < tokens; t++) {
        const double *row = logits + t * stride, log_sum = reference_log_sum(row, vocab);
        const double factor = weights != NULL ? scale * (double)weights[t] : scale;
        for (int64_t v = 0; v < stride; v++)
            d_logits[t * stride + v] =
                v < vocab ? factor * (exp(row[v] - log_sum) - (v == targets[t] ? 1 : 0)) : 0;
    }
}
