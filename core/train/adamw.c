#include "core/train/adamw.h"

#include <math.h>

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

static void update_part(const struct factors *factors, int64_t count, const float *restrict gradients,
                        float *restrict first, float *restrict second, float *restrict weights,
                        gg_bf16 *restrict rounded) {
    const struct factors f = *factors;
    if (rounded == NULL) {
#pragma omp parallel for simd schedule(static)
        for (int64_t i = 0; i < count; i++)
            weights[i] = update_one(&f, gradients[i], &first[i], &second[i], weights[i]);
    } else {
#pragma omp parallel for simd schedule(static)
        for (int64_t i = 0; i < count; i++) {
            weights[i] = update_one(&f, gradients[i], &first[i], &second[i], weights[i]);
            rounded[i] = gg_bf16_round(weights[i]);
        }
    }
}

void gg_adamw_update(const struct gg_parameter_table *table, int64_t from, int64_t to,
                     const struct gg_adamw *adamw, double learning_rate, int64_t step, double gradient_scale,
                     const float *gradients, float *first, float *second, float *weights, gg_bf16 *rounded) {
    struct factors f = {
        .scale = (float)gradient_scale,
        .b1 = (float)adamw->beta1,
        .b2 = (float)adamw->beta2,
        .rate = (float)(learning_rate / (1 - pow(adamw->beta1, (double)step))),
        .root2 = (float)(1 / sqrt(1 - pow(adamw->beta2, (double)step))),
        .eps = (float)adamw->eps,
    };
    for (int k = 0; k < table->count; k++) {
        const struct gg_parameter *p = &table->items[k];
        int64_t start;
        const int64_t count = intersect(p, from, to, &start);
        if (count <= 0)
            continue;
        f.keep = p->decay ? (float)(1 - learning_rate * adamw->weight_decay) : 1;
        update_part(&f, count, gradients + start, first + start, second + start, weights + start,
                    rounded != NULL ? rounded + start : NULL);
    }
}

/* Sums slices of fixed bounds, then the slices in order: the same for any number of threads. */
static double square_sum(const float *values, int64_t count) {
    enum { SLICES = 256, SHORTEST = 4096 };
    double partial[SLICES];
    const int64_t even = (count + SLICES - 1) / SLICES;
    const int64_t length = even > SHORTEST ? even : SHORTEST;
    const int slices = (int)((count + length - 1) / length);
#pragma omp parallel for schedule(static)
    for (int s = 0; s < slices; s++) {
        const int64_t begin = s * length, end = begin + length < count ? begin + length : count;
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = begin; i < end; i++)
            sum += (double)values[i] * (double)values[i];
        partial[s] = sum;
    }
    double total = 0;
    for (int s = 0; s < slices; s++)
        total += partial[s];
    return total;
}

double gg_gradient_square_sum(const struct gg_parameter_table *table, int64_t from, int64_t to,
                              const float *gradients) {
    double total = 0;
    for (int k = 0; k < table->count; k++) {
        const struct gg_parameter *p = &table->items[k];
        int64_t start;
        const int64_t count = intersect(p, from, to, &start);
        if (count > 0 && gg_parameter_owned(table, p))
            total += square_sum(gradients + start, count);
    }
    return total;
}
