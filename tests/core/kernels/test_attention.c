/* Blocked attention against its plain twin. */
#include "tests/kernel_case.h"

#include "core/kernels/attention/attention.h"
#include "core/kernels/matmul/matmul.h"
#include "tests/reference/reference_attention.h"

/* Queries, keys and values beside each other in a row, of two sequences. */
struct problem {
    struct gg_attention shape;
    int64_t width;
    struct tensor qkv, out, log_sums, d_out, d_qkv;
    void *workspace;
};

enum { SEQUENCES = 2 };
static const uint64_t samples[SEQUENCES] = {5, 900};

static struct problem make(enum gg_precision stored, int64_t time, int64_t heads, int64_t size, double p) {
    const int64_t width = heads * size, tokens = SEQUENCES * time;
    return (struct problem){.shape = {.stored = stored,
                                      .sequences = SEQUENCES,
                                      .time = time,
                                      .heads = heads,
                                      .kv_heads = heads,
                                      .head_size = size,
                                      .query_stride = 3 * width,
                                      .key_stride = 3 * width,
                                      .key_sequence_stride = time * 3 * width,
                                      .key_rows = time,
                                      .dropout = gg_dropout_make(p, 7),
                                      .site = 4,
                                      .first_head = 1,
                                      .whole_heads = heads + 2,
                                      .context = time + 3,
                                      .sample_ids = samples},
                            .width = width,
                            .qkv = tensor_make(stored, 1, tokens * 3 * width),
                            .out = tensor_make(stored, 2, tokens * width),
                            .log_sums = tensor_make(GG_PRECISION_FP32, 3, tokens * heads),
                            .d_out = tensor_make(stored, 4, tokens * width),
                            .d_qkv = tensor_make(stored, 5, tokens * 3 * width),
                            .workspace = case_values(
                                gg_attention_workspace_bytes(stored, time, size, 1, CASE_THREADS))};
}

static const void *part(const struct problem *p, int which) {
    return gg_at(p->shape.stored, p->qkv.values, which * p->width);
}

static void forward(const void *argument) {
    const struct problem *p = argument;
    gg_attention_forward(&p->shape, part(p, 0), part(p, 1), part(p, 2), p->out.values, p->log_sums.values,
                         p->workspace);
}

static void backward(const void *argument) {
    const struct problem *p = argument;
    const enum gg_precision stored = p->shape.stored;
    gg_attention_backward(&p->shape, part(p, 0), part(p, 1), part(p, 2), p->out.values, p->log_sums.values,
                          p->d_out.values, p->d_qkv.values, gg_at(stored, p->d_qkv.values, p->width),
                          gg_at(stored, p->d_qkv.values, 2 * p->width), p->workspace);
}

/* Roundings of a sum over `keys` probabilities times something: each probability is off by those of its
 * score, a sum of head_size products that is some units large (8 covers normal numbers), of the exponential
 * and of the softmax's sum; then comes the sum itself. */
static double fp32_units(const struct problem *p, int64_t keys) {
    return 2 * sum_units(keys) + 8 * sum_units(p->shape.head_size) + 16;
}

/* In bf16 a probability is rounded to 8 bits as well, by 2^-8 of itself at most. */
static double units_of(const struct problem *p, int64_t keys) {
    const double rounded = p->shape.stored == GG_PRECISION_BF16 ? ldexp(1, 24 - 8) : 0;
    return fp32_units(p, keys) + rounded;
}

static void check_forward(struct problem *p, int64_t keys) {
    const double *qkv = p->qkv.exact;
    double *expected = case_doubles(p->out.count), *sizes = case_doubles(p->out.count);
    double *log_sums = case_doubles(p->log_sums.count), *log_sizes = case_doubles(p->log_sums.count);
    reference_attention(&p->shape, qkv, qkv + p->width, tensor_magnitudes(&p->qkv) + 2 * p->width, sizes,
                        log_sums);
    reference_attention(&p->shape, qkv, qkv + p->width, qkv + 2 * p->width, expected, log_sums);
    for (int64_t i = 0; i < p->log_sums.count; i++)
        log_sizes[i] = 1 + fabs(log_sums[i]);
    tensor_check("out", &p->out, expected, sizes, units_of(p, keys));
    tensor_check("log-sums", &p->log_sums, log_sums, log_sizes, fp32_units(p, keys));
}

/* A gradient of a score is a difference, of which dP and D are sums over head_size and may cancel: off by
 * head_size roundings of their terms, which `sizes` does not see; by them the sizes are extended. */
static void check_backward(struct problem *p) {
    const struct gg_attention *s = &p->shape;
    double *d = case_doubles(p->d_qkv.count), *sizes = case_doubles(p->d_qkv.count);
    double *bounds = case_doubles(p->d_qkv.count), *ignored = case_doubles(p->d_qkv.count);
    double *const gradients[] = {d, d + p->width, d + 2 * p->width};
    double *const all_sizes[] = {sizes, sizes + p->width, sizes + 2 * p->width};
    double *const all_bounds[] = {bounds, bounds + p->width, bounds + 2 * p->width};
    double *const all_ignored[] = {ignored, ignored + p->width, ignored + 2 * p->width};
    const double *qkv = p->qkv.exact, *magnitudes = tensor_magnitudes(&p->qkv);
    double *out = tensor_results(&p->out), *negative = case_doubles(p->out.count);
    reference_attention_backward(s, qkv, qkv + p->width, qkv + 2 * p->width, out, p->d_out.exact, gradients,
                                 all_sizes);
    /* With |dO|, |V| and -|O| the terms of dP and of D all count up. */
    for (int64_t i = 0; i < p->out.count; i++)
        negative[i] = -fabs(out[i]);
    reference_attention_backward(s, qkv, qkv + p->width, magnitudes + 2 * p->width, negative,
                                 tensor_magnitudes(&p->d_out), all_ignored, all_bounds);
    const double units = units_of(p, s->time);
    const double differences = 4 * sum_units(s->head_size) + 16;
    for (int64_t i = 0; i < p->d_qkv.count; i++)
        sizes[i] += bounds[i] * differences / units;
    tensor_check("d_qkv", &p->d_qkv, d, sizes, units);
}

static void compare(enum gg_precision stored, int64_t time, int64_t heads, int64_t size, double p_drop) {
    struct problem p = make(stored, time, heads, size, p_drop);
    run_with_threads(forward, &p, (struct tensor *const[]){&p.out, &p.log_sums}, 2);
    check_forward(&p, time);
    run_with_threads(backward, &p, (struct tensor *const[]){&p.d_qkv}, 1);
    check_backward(&p);
    case_end();
}

/* In fp32, and in bf16 where the processor multiplies it. */
static void compare_both(int64_t time, int64_t heads, int64_t size, double p_drop) {
    compare(GG_PRECISION_FP32, time, heads, size, p_drop);
    if (gg_matmul_has_bf16())
        compare(GG_PRECISION_BF16, time, heads, size, p_drop);
}

static void odd_shapes(void **state) {
    (void)state;
    compare_both(1, 1, 1, 0);
    compare_both(2, 1, 3, 0);
    compare_both(7, 3, 5, 0);
    compare_both(17, 2, 65, 0);
    compare_both(33, 3, 63, 0);
    compare_both(128, 2, 16, 0);
    compare_both(129, 1, 15, 0);
    compare_both(300, 1, 12, 0);
    compare_both(600, 1, 8, 0); /* three blocks of keys */
}

static void dropout(void **state) {
    (void)state;
    compare_both(5, 2, 4, 0.5);
    compare_both(150, 2, 8, 0.3);
    compare_both(270, 1, 17, 0.1);
}

/* The last queries alone, of one sequence, with keys that stand elsewhere, and more rows of them than are
 * asked for. */
static void check_cached_keys(enum gg_precision stored, int64_t last, double p_drop) {
    enum { TIME = 300, HEADS = 2, SIZE = 9, ROWS = TIME + 40 };
    struct problem whole = make(stored, ROWS, HEADS, SIZE, p_drop),
                   p = make(stored, last, HEADS, SIZE, p_drop);
    p.shape.first = TIME - last;
    p.shape.sequences = 1;
    p.shape.key_rows = ROWS;
    p.shape.context = whole.shape.context;
    p.qkv = whole.qkv;
    p.workspace = whole.workspace;
    p.out.count = last * p.width;
    p.log_sums.count = last * HEADS;
    const struct gg_attention shape = p.shape;
    const int64_t from = shape.first * 3 * p.width;
    gg_attention_forward(&shape, gg_at(stored, part(&p, 0), from), part(&p, 1), part(&p, 2), p.out.values,
                         p.log_sums.values, p.workspace);
    double *expected = case_doubles(p.out.count), *sizes = case_doubles(p.out.count);
    double *log_sums = case_doubles(p.log_sums.count);
    const double *qkv = p.qkv.exact;
    reference_attention(&shape, qkv + from, qkv + p.width, tensor_magnitudes(&p.qkv) + 2 * p.width, sizes,
                        log_sums);
    reference_attention(&shape, qkv + from, qkv + p.width, qkv + 2 * p.width, expected, log_sums);
    tensor_check("last rows", &p.out, expected, sizes, units_of(&p, TIME));
    case_end();
}

static void cached_keys(void **state) {
    (void)state;
    for (int precision = 0; precision < (gg_matmul_has_bf16() ? 2 : 1); precision++)
        for (int64_t last = 1; last <= 17; last += 8) {
            check_cached_keys((enum gg_precision)precision, last, 0);
            check_cached_keys((enum gg_precision)precision, last, 0.25);
        }
}

/* Scores that grow from block to block make the running maximum move, and none may overflow. */
static void growing_scores(void **state) {
    (void)state;
    enum { TIME = 600, SIZE = 4 };
    struct problem p = make(GG_PRECISION_FP32, TIME, 1, SIZE, 0);
    for (int64_t t = 0; t < SEQUENCES * TIME; t++)
        for (int64_t i = 0; i < SIZE; i++) {
            tensor_set(&p.qkv, t * 3 * SIZE + i, 10);
            tensor_set(&p.qkv, t * 3 * SIZE + SIZE + i, (double)(t % TIME)); /* scores up to 20 x 599 */
        }
    forward(&p);
    check_forward(&p, TIME);
    case_end();
}

/* No more than blocks of scores: a thread's scratch is far below T x T, and grows with T alone. */
static void scratch(void **state) {
    (void)state;
    const size_t of_4096 = gg_attention_workspace_bytes(GG_PRECISION_FP32, 4096, 64, 1, 1);
    const size_t of_8192 = gg_attention_workspace_bytes(GG_PRECISION_FP32, 8192, 64, 1, 1);
    assert_true(of_4096 < (size_t)4096 * 4096 * sizeof(float) / 20);
    assert_int_equal(of_8192 - of_4096, 4096 * (64 + 1) * sizeof(float));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(odd_shapes), cmocka_unit_test(dropout),
                                       cmocka_unit_test(cached_keys), cmocka_unit_test(growing_scores),
                                       cmocka_unit_test(scratch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
