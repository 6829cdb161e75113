/* Blocked attention against the plain formula in double precision, which stands here. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/kernels/attention.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct problem {
    struct gg_attention shape;
    int64_t tokens, width;
    float *qkv, *d_out;
    uint64_t samples[2];
    void *workspace;
};

static float *random_floats(uint64_t stream, int64_t count) {
    float *values = gg_malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)gg_random_normal(11, stream, (uint64_t)i);
    return values;
}

static struct problem make(int64_t time, int64_t heads, int64_t size, double dropout) {
    struct problem p = {.tokens = 2 * time, .width = heads * size, .samples = {5, 900}};
    p.shape = (struct gg_attention){.sequences = 2,
                                    .time = time,
                                    .heads = heads,
                                    .head_size = size,
                                    .query_stride = 3 * p.width,
                                    .key_stride = 3 * p.width,
                                    .key_sequence_stride = time * 3 * p.width,
                                    .dropout = gg_dropout_make(dropout, 7),
                                    .site = 4,
                                    .whole_heads = heads,
                                    .context = time};
    p.qkv = random_floats(0, p.tokens * 3 * p.width);
    p.d_out = random_floats(1, p.tokens * p.width);
    p.workspace =
        gg_malloc(gg_attention_workspace_bytes(GG_PRECISION_FP32, time, size, omp_get_max_threads()));
    return p;
}

static void release(struct problem *p) {
    free(p->qkv);
    free(p->d_out);
    free(p->workspace);
}

static float at(const struct problem *p, int64_t b, int64_t t, int part, int64_t h, int64_t i) {
    const int64_t row = b * p->shape.time + t;
    return p->qkv[row * 3 * p->width + part * p->width + h * p->shape.head_size + i];
}

/* Probabilities (with dropout multipliers in mask) of one query. */
static void plain_row(const struct problem *p, int64_t b, int64_t h, int64_t t, double *probability,
                      float *mask) {
    const struct gg_attention *s = &p->shape;
    double sum = 0;
    for (int64_t k = 0; k <= t; k++) {
        double score = 0;
        for (int64_t i = 0; i < s->head_size; i++)
            score += (double)at(p, b, t, 0, h, i) * at(p, b, k, 1, h, i);
        sum += probability[k] = exp(score / sqrt((double)s->head_size));
        mask[k] = 1;
    }
    for (int64_t k = 0; k <= t; k++)
        probability[k] /= sum;
    if (s->dropout.threshold > 0) {
        const uint64_t row =
            (p->samples[b] * (uint64_t)s->heads + (uint64_t)h) * (uint64_t)s->time + (uint64_t)t;
        gg_dropout_mask(&s->dropout, s->site, row * (uint64_t)s->time, t + 1, mask);
    }
}

static void plain(const struct problem *p, float *out, float *d_qkv) {
    const struct gg_attention *s = &p->shape;
    const int64_t size = s->head_size, elements = p->tokens * 3 * p->width;
    double *d = gg_calloc((size_t)elements, sizeof *d),
           *probability = gg_malloc((size_t)s->time * sizeof *probability);
    float *mask = gg_malloc((size_t)s->time * sizeof *mask);
#define D(t_, part, i_) d[(b * s->time + (t_)) * 3 * p->width + (part)*p->width + h * size + (i_)]
    for (int64_t b = 0; b < 2; b++)
        for (int64_t h = 0; h < s->heads; h++)
            for (int64_t t = 0; t < s->time; t++) {
                plain_row(p, b, h, t, probability, mask);
                const int64_t row = (b * s->time + t) * p->width + h * size;
                double product = 0;
                for (int64_t i = 0; i < size; i++) {
                    double sum = 0;
                    for (int64_t k = 0; k <= t; k++)
                        sum += probability[k] * mask[k] * at(p, b, k, 2, h, i);
                    out[row + i] = (float)sum;
                    product += sum * p->d_out[row + i];
                }
                for (int64_t k = 0; k <= t; k++) {
                    double d_probability = 0;
                    for (int64_t i = 0; i < size; i++)
                        d_probability += (double)p->d_out[row + i] * at(p, b, k, 2, h, i) * mask[k];
                    const double d_score = probability[k] * (d_probability - product) / sqrt((double)size);
                    for (int64_t i = 0; i < size; i++) {
                        D(t, 0, i) += d_score * at(p, b, k, 1, h, i);
                        D(k, 1, i) += d_score * at(p, b, t, 0, h, i);
                        D(k, 2, i) += probability[k] * mask[k] * p->d_out[row + i];
                    }
                }
            }
#undef D
    for (int64_t i = 0; i < elements; i++)
        d_qkv[i] = (float)d[i];
    free(d);
    free(probability);
    free(mask);
}

static void compare(int64_t time, int64_t heads, int64_t size, double dropout) {
    struct problem p = make(time, heads, size, dropout);
    p.shape.sample_ids = p.samples;
    const int64_t out_elements = p.tokens * p.width, qkv_elements = 3 * out_elements;
    float *out = gg_malloc((size_t)out_elements * sizeof *out),
          *expected = gg_malloc((size_t)out_elements * sizeof *out);
    float *d_qkv = gg_malloc((size_t)qkv_elements * sizeof *d_qkv);
    float *d_expected = gg_malloc((size_t)qkv_elements * sizeof *d_expected);
    float *log_sums = gg_malloc((size_t)(p.tokens * heads) * sizeof *log_sums);
    gg_attention_forward(&p.shape, p.qkv, p.qkv + p.width, p.qkv + 2 * p.width, out, log_sums, p.workspace);
    gg_attention_backward(&p.shape, p.qkv, p.qkv + p.width, p.qkv + 2 * p.width, out, log_sums, p.d_out,
                          d_qkv, d_qkv + p.width, d_qkv + 2 * p.width, p.workspace);
    plain(&p, expected, d_expected);
    check_close("out", out, expected, out_elements, 5e-6);
    check_close("d_qkv", d_qkv, d_expected, qkv_elements, 1e-5);
    free(out);
    free(expected);
    free(d_qkv);
    free(d_expected);
    free(log_sums);
    release(&p);
}

static void odd_shapes(void **state) {
    (void)state;
    compare(1, 1, 1, 0);
    compare(7, 3, 5, 0);
    compare(128, 2, 16, 0);
    compare(129, 2, 8, 0);
    compare(300, 1, 12, 0);
    compare(600, 1, 8, 0); /* three blocks of keys */
}

static void dropout(void **state) {
    (void)state;
    compare(150, 2, 8, 0.3);
    compare(400, 1, 4, 0.3);
}

/* The last queries alone, over keys that stand elsewhere, give the last rows. */
static void cached_keys(void **state) {
    (void)state;
    enum { TIME = 50, LAST = 9 };
    struct problem p = make(TIME, 2, 8, 0);
    const int64_t width = p.width;
    float *out = gg_malloc((size_t)(p.tokens * width) * sizeof *out);
    float *some = gg_malloc((size_t)(2 * LAST * width) * sizeof *some);
    gg_attention_forward(&p.shape, p.qkv, p.qkv + width, p.qkv + 2 * width, out, NULL, p.workspace);
    struct gg_attention last = p.shape;
    last.sequences = 1;
    last.time = LAST;
    last.first = TIME - LAST;
    gg_attention_forward(&last, p.qkv + last.first * 3 * width, p.qkv + width, p.qkv + 2 * width, some, NULL,
                         p.workspace);
    check_close("last rows", some, out + last.first * width, LAST * width, 1e-6);
    free(out);
    free(some);
    release(&p);
}

/* Scores that grow from block to block make the running maximum move, and none may overflow. */
static void growing_scores(void **state) {
    (void)state;
    enum { TIME = 600, SIZE = 4 };
    struct problem p = make(TIME, 1, SIZE, 0);
    float out[SIZE], log_sum[2 * TIME];
    float *all = gg_malloc((size_t)(p.tokens * SIZE) * sizeof *all);
    for (int64_t t = 0; t < p.tokens; t++)
        for (int64_t i = 0; i < SIZE; i++) {
            p.qkv[t * 3 * SIZE + i] = 10;
            p.qkv[t * 3 * SIZE + SIZE + i] = (float)(t % TIME); /* scores up to 20 x 599 */
        }
    gg_attention_forward(&p.shape, p.qkv, p.qkv + SIZE, p.qkv + 2 * SIZE, all, log_sum, p.workspace);
    for (int64_t t = 0; t < p.tokens; t++) { /* the last key takes all */
        for (int64_t i = 0; i < SIZE; i++)
            out[i] = p.qkv[t * 3 * SIZE + 2 * SIZE + i];
        check_close("the last key's value", all + t * SIZE, out, SIZE, 1e-6);
        assert_true(fabs((double)log_sum[t] - 20.0 * (double)(t % TIME)) < 1e-2);
    }
    free(all);
    release(&p);
}

/* No more than blocks of scores: a thread's scratch is far below T x T, and grows with T alone. */
static void scratch(void **state) {
    (void)state;
    const size_t of_4096 = gg_attention_workspace_bytes(GG_PRECISION_FP32, 4096, 64, 1);
    const size_t of_8192 = gg_attention_workspace_bytes(GG_PRECISION_FP32, 8192, 64, 1);
    assert_true(of_4096 < (size_t)4096 * 4096 * sizeof(float) / 20);
    assert_int_equal(of_8192 - of_4096, 4096 * (64 + 1) * sizeof(float));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(odd_shapes), cmocka_unit_test(dropout),
                                       cmocka_unit_test(cached_keys), cmocka_unit_test(growing_scores),
                                       cmocka_unit_test(scratch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
