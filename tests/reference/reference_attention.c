#include "tests/reference/reference_attention.h"

#include "core/base/memory.h"
#include "tests/reference/reference_dropout.h"
#include "tests/reference/reference_loss.h"

#include <math.h>
#include <stdlib.h>

static double dot(const double *a, const double *b, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static const double *query_at(const struct gg_attention *s, const double *query, int64_t b, int64_t h,
                              int64_t t) {
    return query + (b * s->time + t) * s->query_stride + h * s->head_size;
}

/* h: the query head. */
static int64_t key_index(const struct gg_attention *s, int64_t b, int64_t h, int64_t k) {
    const int64_t kv_head = h / (s->heads / s->kv_heads);
    return b * s->key_sequence_stride + k * s->key_stride + kv_head * s->head_size;
}

/* The first key that query t of a sequence sees. */
static int64_t first_key(const struct gg_attention *s, int64_t b, int64_t t) {
    const int64_t first = s->first + t - s->window + 1;
    const int64_t text = s->starts != NULL ? s->starts[b * s->time + t] : 0;
    return s->window > 0 && first > text ? first : text;
}

/* The softmax over the keys that query t of (b, h) sees, and its mask, from its first key on; returns the
 * log-sum. */
static double softmax(const struct gg_attention *s, const double *query, const double *key, int64_t b,
                      int64_t h, int64_t t, double *softmax, double *mask) {
    const int64_t end = s->first + t + 1, from = first_key(s, b, t), head = s->first_head + h;
    for (int64_t k = from; k < end; k++) {
        softmax[k] = dot(query_at(s, query, b, h, t), key + key_index(s, b, h, k), s->head_size) /
                     sqrt((double)s->head_size);
        mask[k] = s->dropout.threshold == 0
                      ? 1
                      : reference_dropout_multiplier(
                            s->dropout.seed, s->site, s->dropout.threshold,
                            reference_dropout_probability(s->sample_ids[b], head, s->first + t, k,
                                                          s->whole_heads, s->context));
    }
    const double log_sum = reference_log_sum(softmax + from, end - from);
    for (int64_t k = from; k < end; k++)
        softmax[k] = exp(softmax[k] - log_sum);
    return log_sum;
}

void reference_attention(const struct gg_attention *s, const double *query, const double *key,
                         const double *value, double *out, double *log_sums) {
    const int64_t most = s->first + s->time, width = s->heads * s->head_size;
    double *p = gg_malloc((size_t)most * sizeof *p), *mask = gg_malloc((size_t)most * sizeof *mask);
    for (int64_t b = 0; b < s->sequences; b++)
        for (int64_t h = 0; h < s->heads; h++)
            for (int64_t t = 0; t < s->time; t++) {
                double *row = out + (b * s->time + t) * width + h * s->head_size;
                log_sums[(b * s->heads + h) * s->time + t] = softmax(s, query, key, b, h, t, p, mask);
                for (int64_t i = 0; i < s->head_size; i++) {
                    row[i] = 0;
                    for (int64_t k = first_key(s, b, t); k <= s->first + t; k++)
                        row[i] += p[k] * mask[k] * value[key_index(s, b, h, k) + i];
                }
            }
    free(p);
    free(mask);
}

/* sum[i] += factor values[i], and the sizes. */
static void add(double factor, const double *values, int64_t count, double *sum, double *sizes) {
    for (int64_t i = 0; i < count; i++) {
        sum[i] += factor * values[i];
        sizes[i] += fabs(factor * values[i]);
    }
}

void reference_attention_backward(const struct gg_attention *s, const double *query, const double *key,
                                  const double *value, const double *out, const double *d_out,
                                  double *const gradients[3], double *const sizes[3]) {
    const int64_t size = s->head_size;
    double *p = gg_malloc((size_t)s->time * sizeof *p), *mask = gg_malloc((size_t)s->time * sizeof *mask);
    for (int64_t b = 0; b < s->sequences; b++)
        for (int64_t h = 0; h < s->heads; h++)
            for (int64_t t = 0; t < s->time; t++) {
                const int64_t row = (b * s->time + t) * s->heads * size + h * size;
                const double *q = query_at(s, query, b, h, t), product = dot(d_out + row, out + row, size);
                const int64_t at_q = q - query;
                softmax(s, query, key, b, h, t, p, mask);
                for (int64_t k = first_key(s, b, t); k <= t; k++) {
                    const int64_t at = key_index(s, b, h, k);
                    const double d_probability = mask[k] * dot(d_out + row, value + at, size);
                    const double d_score = p[k] * (d_probability - product) / sqrt((double)size);
                    add(d_score, key + at, size, gradients[0] + at_q, sizes[0] + at_q);
                    add(d_score, q, size, gradients[1] + at, sizes[1] + at);
                    add(p[k] * mask[k], d_out + row, size, gradients[2] + at, sizes[2] + at);
                }
            }
    free(p);
    free(mask);
}
