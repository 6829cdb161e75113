#include "core/train/adamw.h"

#include <math.h>
#include <omp.h>

enum { LINE = 16 }; /* elements of a cache line */

/* The factors of one update, as the inner loop takes them. */
struct factors {
    float scale, keep, b1, b2, rate, root2, eps;
};

/* The part of a parameter that lies in [from, to), relative to `from`: first element and count (<= 0: none).
 */
static int64_t intersect(const struct gg_parameter *p, int64_t from, int64_t to, int64_t *start) {
    const int64_t end = p->offset + p->local_rows * p->local_columns;
    const int64_t low = p->offset > from ? p->offset : from, high = end < to ? end : to;
    *start = low - from;
    return high - low;
}

/* One element; returns its new weight. */
static inline float update_one(const struct factors *f, float gradient, float *first, float *second,
                               float weight) {
    const float g = gradient * f->scale;
    const float m = f->b1 * *first + (1 - f->b1) * g;
    const float v = f->b2 * *second + (1 - f->b2) * g * g;
    *first = m;
    *second = v;
    return weight * f->keep - f->rate * m / (sqrtf(v) * f->root2 + f->eps);
}

/* What an update works on: a range's parts of the buffers. */
struct buffers {
    const float *gradients;
    float *first, *second, *weights;
    gg_bf16 *rounded; /* or NULL */
};

static void update_part(const struct factors *factors, const struct buffers *buffers, int64_t from,
                        int64_t count) {
    const struct factors f = *factors;
    const float *restrict gradients = buffers->gradients + from;
    float *restrict first = buffers->first + from, *restrict second = buffers->second + from;
    float *restrict weights = buffers->weights + from;
    if (buffers->rounded == NULL) {
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            weights[i] = update_one(&f, gradients[i], &first[i], &second[i], weights[i]);
    } else {
        gg_bf16 *restrict rounded = buffers->rounded + from;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) {
            weights[i] = update_one(&f, gradients[i], &first[i], &second[i], weights[i]);
            rounded[i] = gg_bf16_round(weights[i]);
        }
    }
}

/* The tensors' parts in [from, to), of a range that begins at `origin`.
 *   kept [in] what decay leaves of a weight */
static void update_slice(const struct gg_parameter_table *table, const struct factors *factors, float kept,
                         const struct buffers *buffers, int64_t origin, int64_t from, int64_t to) {
    struct factors f = *factors;
    for (int k = 0; k < table->count; k++) {
        const struct gg_parameter *p = &table->items[k];
        int64_t start;
        const int64_t count = intersect(p, from, to, &start);
        if (count <= 0)
            continue;
        f.keep = p->decay ? kept : 1;
        update_part(&f, buffers, from - origin + start, count);
    }
}

void gg_adamw_update(const struct gg_parameter_table *table, int64_t from, int64_t to,
                     const struct gg_adamw *adamw, double learning_rate, int64_t step, double gradient_scale,
                     const float *gradients, float *first, float *second, float *weights, gg_bf16 *rounded) {
    const struct factors f = {
        .scale = (float)gradient_scale,
        .b1 = (float)adamw->beta1,
        .b2 = (float)adamw->beta2,
        .rate = (float)(learning_rate / (1 - pow(adamw->beta1, (double)step))),
        .root2 = (float)(1 / sqrt(1 - pow(adamw->beta2, (double)step))),
        .eps = (float)adamw->eps,
    };
    const float kept = (float)(1 - learning_rate * adamw->weight_decay);
    const struct buffers buffers = {gradients, first, second, weights, rounded};
    /* Threads share the range as they shared the first touch of the buffers (gg_zero), whatever tensors are
     * in it. */
#pragma omp parallel
    {
        const int64_t threads = omp_get_num_threads(), lines = (to - from + LINE - 1) / LINE;
        const int64_t begin = from + lines * omp_get_thread_num() / threads * LINE;
        const int64_t end = from + lines * (omp_get_thread_num() + 1) / threads * LINE;
        update_slice(table, &f, kept, &buffers, from, begin, end < to ? end : to);
    }
}

static double square_sum(const float *values, int64_t count) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    return sum;
}

/* Of the tensors' parts in [from, to) that count for this rank. */
static double slice_square_sum(const struct gg_parameter_table *table, int64_t from, int64_t to,
                               const float *gradients) {
    double sum = 0;
    for (int k = 0; k < table->count; k++) {
        const struct gg_parameter *p = &table->items[k];
        int64_t start;
        const int64_t count = intersect(p, from, to, &start);
        if (count > 0 && gg_parameter_owned(table, p))
            sum += square_sum(gradients + start, count);
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
