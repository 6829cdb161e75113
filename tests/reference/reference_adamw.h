/* AdamW, plain (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2, in the
 * order of torch.optim.AdamW):
 *   p <- p - lr wd p
 *   m <- b1 m + (1 - b1) g
 *   v <- b2 v + (1 - b2) g^2
 *   p <- p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 */
#ifndef GG_TESTS_REFERENCE_ADAMW_H
#define GG_TESTS_REFERENCE_ADAMW_H

#include <stdint.h>

struct reference_adamw {
    double beta1, beta2, eps, weight_decay, learning_rate;
};

/* Update number `step`, from 1, of `count` elements, all with decay or (weight_decay 0) none. */
void reference_adamw(const struct reference_adamw *adamw, int64_t step, int64_t count, const double *g,
                     double *m, double *v, double *p);

/* Sum of squares. */
double reference_square_sum(const float *values, int64_t count);

#endif
