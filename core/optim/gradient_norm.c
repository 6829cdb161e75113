#include "core/optim/gradient_norm.h"

static double square_sum(const float *values, int64_t count) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    return sum;
}

/* Of the tensors' parts in [from, to) that count for this rank.
 *   gradients [in] those from `from` on */
static double slice_square_sum(const struct gg_parameter_table *table, int64_t from, int64_t to,
                               const float *gradients) {
    double sum = 0;
    for (int k = 0; k < table->count; k++) {
        const struct gg_parameter *p = &table->items[k];
        int64_t at;
        const int64_t count = gg_parameter_intersect(p, from, to, &at);
        if (count > 0 && gg_parameter_owned(table, p))
            sum += square_sum(gradients + (at - from), count);
    }
    return sum;
}

/* Sums slices of fixed bounds, then the slices in order: the same for any number of threads. */
double gg_gradient_square_sum(const struct gg_parameter_table *table, int64_t from, int64_t to,
                              const float *gradients) {
    enum { SLICES = 1024, SHORTEST = 16384 };
    double partial[SLICES];
    const int64_t even = (to - from + SLICES - 1) / SLICES;
    const int64_t length = even > SHORTEST ? even : SHORTEST;
    const int slices = (int)((to - from + length - 1) / length);
#pragma omp parallel for schedule(static)
    for (int s = 0; s < slices; s++) {
        const int64_t begin = from + s * length, end = begin + length < to ? begin + length : to;
        partial[s] = slice_square_sum(table, begin, end, gradients + (begin - from));
    }
    double total = 0;
    for (int s = 0; s < slices; s++)
        total += partial[s];
    return total;
}
