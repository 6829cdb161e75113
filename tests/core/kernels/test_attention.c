/* Blocked attention against its plain twin. */
#include "tests/kernel_case.h"

#include "core/kernels/attention/attention.h"
#include "core/kernels/matmul/matmul.h"
#include "tests/reference/reference_attention.h"

/* Queries, keys and values beside each other in a row, of two sequences. */
struct problem {
    struct gg_attention shape;
    int64_t width, key_width, row; /* elements of a token's queries, of its keys or values, of all */
    struct tensor qkv, out, log_sums, d_out, d_qkv;
    void *workspace;
};

enum { SEQUENCES = 2 };
static const uint64_t samples[SEQUENCES] = {5, 900};

/* What is asked for; window 0 and kv_heads as many as heads are plain attention. */
struct how {
    int64_t time, heads, kv_heads, size, window;
    double dropout;
};

static struct problem make(enum gg_precision stored, const struct how how) {
    const int64_t width = how.heads * how.size, key_width = how.kv_heads * how.size;
    const int64_t tokens = SEQUENCES * how.time, row = width + 2 * key_width;
    const size_t workspace =
        gg_attention_workspace_bytes(stored, how.time, how.size, how.heads / how.kv_heads, CASE_THREADS);
    return (struct problem){.shape = {.stored = stored,
                                      .sequences = SEQUENCES,
                                      .time = how.time,
                                      .heads = how.heads,
                                      .kv_heads = how.kv_heads,
                                      .head_size = how.size,
                                      .window = how.window,
                                      .query_stride = row,
                                      .key_stride = row,
                                      .key_sequence_stride = how.time * row,
                                      .key_rows = how.time,
                                      .dropout = gg_dropout_make(how.dropout, 7),
                                      .site = 4,
                                      .first_head = 1,
                                      .whole_heads = how.heads + 2,
                                      .context = how.time + 3,
                                      .sample_ids = samples},
                            .width = width,
                            .key_width = key_width,
                            .row = row,
                            .qkv = tensor_make(stored, 1, tokens * row),
                            .out = tensor_make(stored, 2, tokens * width),
                            .log_sums = tensor_make(GG_PRECISION_FP32, 3, tokens * how.heads),
                            .d_out = tensor_make(stored, 4, tokens * width),
                            .d_qkv = tensor_make(stored, 5, tokens * row),
                            .workspace = case_values(workspace)};
}

/* Where the queries, the keys or the values begin in a row. */
static int64_t column(const struct problem *p, int which) {
    return which == 0 ? 0 : p->width + (which - 1) * p->key_width;
}

static const void *part(const struct problem *p, int which) {
    return gg_at(p->shape.stored, p->qkv.values, column(p, which));
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
                          p->d_out.values, p->d_qkv.values, gg_at(stored, p->d_qkv.values, column(p, 1)),
                          gg_at(stored, p->d_qkv.values, column(p, 2)), p->workspace);
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
    const int64_t key = column(p, 1), value = column(p, 2);
    reference_attention(&p->shape, qkv, qkv + key, tensor_magnitudes(&p->qkv) + value, sizes, log_sums);
    reference_attention(&p->shape, qkv, qkv + key, qkv + value, expected, log_sums);
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
    const int64_t key = column(p, 1), value = column(p, 2);
    double *const gradients[] = {d, d + key, d + value};
    double *const all_sizes[] = {sizes, sizes + key, sizes + value};
    double *const all_bounds[] = {bounds, bounds + key, bounds + value};
    double *const all_ignored[] = {ignored, ignored + key, ignored + value};
    const double *qkv = p->qkv.exact, *magnitudes = tensor_magnitudes(&p->qkv);
    double *out = tensor_results(&p->out), *negative = case_doubles(p->out.count);
    reference_attention_backward(s, qkv, qkv + key, qkv + value, out, p->d_out.exact, gradients, all_sizes);
    /* With |dO|, |V| and -|O| the terms of dP and of D all count up. */
    for (int64_t i = 0; i < p->out.count; i++)
        negative[i] = -fabs(out[i]);
    reference_attention_backward(s, qkv, qkv + key, magnitudes + value, negative,
                                 tensor_magnitudes(&p->d_out), all_ignored, all_bounds);
    const double units = units_of(p, s->time);
    const double differences = 4 * sum_units(s->head_size) + 16;
    for (int64_t i = 0; i < p->d_qkv.count; i++)
        sizes[i] += bounds[i] * differences / units;
    tensor_check("d_qkv", &p->d_qkv, d, sizes, units);
}

static void compare(enum gg_precision stored, const struct how how) {
    struct problem p = make(stored, how);
    run_with_threads(forward, &p, (struct tensor *const[]){&p.out, &p.log_sums}, 2);
    check_forward(&p, how.time);
    run_with_threads(backward, &p, (struct tensor *const[]){&p.d_qkv}, 1);
    check_backward(&p);
    case_end();
}

/* In fp32, and in bf16 where the processor multiplies it. */
static void compare_both(const struct how how) {
    compare(GG_PRECISION_FP32, how);
    if (gg_matmul_has_bf16())
        compare(GG_PRECISION_BF16, how);
}

/* Dense, each query head with keys and values of its own. */
static void compare_plain(int64_t time, int64_t heads, int64_t size, double dropout) {
    compare_both((struct how){time, heads, heads, size, 0, dropout});
}

static void odd_shapes(void **state) {
    (void)state;
    compare_plain(1, 1, 1, 0);
    compare_plain(2, 1, 3, 0);
    compare_plain(7, 3, 5, 0);
    compare_plain(17, 2, 65, 0);
    compare_plain(33, 3, 63, 0);
    compare_plain(128, 2, 16, 0);
    compare_plain(129, 1, 15, 0);
    compare_plain(300, 1, 12, 0);
    compare_plain(600, 1, 8, 0); /* three blocks of keys */
}

static void dropout(void **state) {
    (void)state;
    compare_plain(5, 2, 4, 0.5);
    compare_plain(150, 2, 8, 0.3);
    compare_plain(270, 1, 17, 0.1);
}

/* Groups of query heads that share keys and values, down to one head of them. */
static void groups(void **state) {
    (void)state;
    compare_both((struct how){5, 2, 1, 6, 0, 0});
    compare_both((struct how){33, 6, 2, 20, 0, 0});
    compare_both((struct how){129, 4, 2, 64, 0, 0.2});
    compare_both((struct how){140, 3, 1, 128, 0, 0});
    compare_both((struct how){600, 2, 1, 6, 0, 0}); /* three blocks of keys */
}

/* Windows of one key, within a block, of a block, and longer than the sequence. */
static void windows(void **state) {
    (void)state;
    static const int64_t all[] = {1, 7, 64, 100, 256, 1000};
    for (int i = 0; i < 6; i++) {
        compare_both((struct how){5, 1, 1, 6, all[i], 0});
        compare_both((struct how){130, 2, 2, 20, all[i], 0.3});
        compare_both((struct how){700, 1, 1, 6, all[i], 0});
    }
    compare_both((struct how){520, 1, 1, 64, 256, 0.1});
    compare_both((struct how){300, 4, 2, 20, 7, 0.1});
    compare_both((struct how){600, 2, 1, 6, 129, 0});
}

/* Texts of such lengths in turn, other ones in each sequence. */
static int32_t *text_starts(int64_t time, const int64_t *lengths, int count) {
    int32_t *starts = case_take((size_t)(SEQUENCES * time) * sizeof *starts, 0);
    for (int64_t b = 0; b < SEQUENCES; b++) {
        int64_t start = 0;
        for (int64_t t = 0, i = b; t < time; t++) {
            if (t - start == lengths[i % count]) {
                start = t;
                i++;
            }
            starts[b * time + t] = (int32_t)start;
        }
    }
    return starts;
}

static void compare_texts(enum gg_precision stored, const struct how how, const int64_t *lengths, int count) {
    struct problem p = make(stored, how);
    p.shape.starts = text_starts(how.time, lengths, count);
    run_with_threads(forward, &p, (struct tensor *const[]){&p.out, &p.log_sums}, 2);
    check_forward(&p, how.time);
    run_with_threads(backward, &p, (struct tensor *const[]){&p.d_qkv}, 1);
    check_backward(&p);
    case_end();
}

/* Texts side by side in a sequence: of one token, within a block, over blocks; with windows, groups, dropout. */
static void texts(void **state) {
    (void)state;
    static const int64_t lengths[] = {1, 2, 70, 300, 1, 128, 257, 5, 64};
    for (int precision = 0; precision < (gg_matmul_has_bf16() ? 2 : 1); precision++) {
        const enum gg_precision stored = (enum gg_precision)precision;
        compare_texts(stored, (struct how){9, 1, 1, 6, 0, 0}, lengths, 2);
        compare_texts(stored, (struct how){700, 2, 2, 20, 0, 0}, lengths, 9);
        compare_texts(stored, (struct how){650, 2, 1, 6, 0, 0.2}, lengths + 3, 6);
        compare_texts(stored, (struct how){650, 2, 1, 6, 100, 0.1}, lengths + 2, 7);
    }
}

/* Fills columns [from, from + count) of rows [first, end) of the first sequence with what is not a number. */
static void poison(struct problem *p, int64_t first, int64_t end, int64_t from, int64_t count) {
    for (int64_t t = first; t < end; t++)
        for (int64_t c = from; c < from + count; c++)
            gg_store(p->shape.stored, p->qkv.values, t * p->row + c, NAN);
}

/* Whether rows [first, end) of the first sequence, of so many elements, are numbers in `count` from `from`. */
static bool are_numbers(const struct tensor *t, int64_t row, int64_t first, int64_t end, int64_t from,
                        int64_t count) {
    for (int64_t i = first; i < end; i++)
        for (int64_t c = from; c < from + count; c++)
            if (isnan(gg_load(t->stored, t->values, i * row + c)))
                return false;
    return true;
}

/* Blocks that no window reaches are not worked on, in either pass: what stands there would be seen. */
static void skipped_blocks(void **state) {
    (void)state;
    enum { TIME = 700, SIZE = 6, FAR = 200, LATE = 512 };
    const struct how how = {TIME, 2, 1, SIZE, 256, 0};
    struct problem p = make(GG_PRECISION_FP32, how);
    forward(&p);
    poison(&p, 0, FAR, column(&p, 1), 2 * p.key_width); /* keys that no query from LATE on sees */
    backward(&p);
    assert_true(are_numbers(&p.d_qkv, p.row, LATE, TIME, 0, p.row));
    assert_false(are_numbers(&p.d_qkv, p.row, 0, FAR, 0, p.row));
    forward(&p);
    assert_true(are_numbers(&p.out, p.width, LATE, TIME, 0, p.width));
    assert_false(are_numbers(&p.out, p.width, 0, FAR, 0, p.width));
    case_end();
    p = make(GG_PRECISION_FP32, how);
    forward(&p);
    poison(&p, LATE + 128, TIME, 0, p.width); /* queries that see no key of the first block */
    backward(&p);
    assert_true(are_numbers(&p.d_qkv, p.row, 0, 256, 0, p.row));
    assert_false(are_numbers(&p.d_qkv, p.row, LATE, TIME, 0, p.row));
    case_end();
}

/* Nor those of other texts. */
static void skipped_texts(void **state) {
    (void)state;
    enum { TIME = 700, SIZE = 6, SECOND = 320 };
    struct problem p = make(GG_PRECISION_FP32, (struct how){TIME, 1, 1, SIZE, 0, 0});
    p.shape.starts = text_starts(TIME, (const int64_t[]){SECOND, TIME}, 2);
    forward(&p);
    poison(&p, 0, 256, column(&p, 1), 2 * p.key_width);
    backward(&p);
    assert_true(are_numbers(&p.d_qkv, p.row, SECOND + 128, TIME, 0, p.row));
    forward(&p);
    assert_true(are_numbers(&p.out, p.width, SECOND + 128, TIME, 0, p.width));
    case_end();
}

/* The last queries alone, of one sequence, with keys that stand elsewhere, and more rows of them than are
 * asked for. */
static void check_cached_keys(enum gg_precision stored, int64_t last, const struct how how) {
    enum { ROWS = 340 };
    struct how all = how, some = how;
    all.time = ROWS;
    some.time = last;
    struct problem whole = make(stored, all), p = make(stored, some);
    p.shape.first = how.time - last;
    p.shape.sequences = 1;
    p.shape.key_rows = ROWS;
    p.shape.context = whole.shape.context;
    p.qkv = whole.qkv;
    p.workspace = whole.workspace;
    p.out.count = last * p.width;
    p.log_sums.count = last * how.heads;
    const struct gg_attention shape = p.shape;
    const int64_t from = shape.first * p.row, key = column(&p, 1), value = column(&p, 2);
    gg_attention_forward(&shape, gg_at(stored, part(&p, 0), from), part(&p, 1), part(&p, 2), p.out.values,
                         p.log_sums.values, p.workspace);
    double *expected = case_doubles(p.out.count), *sizes = case_doubles(p.out.count);
    double *log_sums = case_doubles(p.log_sums.count);
    const double *qkv = p.qkv.exact;
    reference_attention(&shape, qkv + from, qkv + key, tensor_magnitudes(&p.qkv) + value, sizes, log_sums);
    reference_attention(&shape, qkv + from, qkv + key, qkv + value, expected, log_sums);
    tensor_check("last rows", &p.out, expected, sizes, units_of(&p, how.time));
    case_end();
}

static void cached_keys(void **state) {
    (void)state;
    static const int64_t windows[] = {0, 1, 7, 100, 256, 1000};
    for (int precision = 0; precision < (gg_matmul_has_bf16() ? 2 : 1); precision++)
        for (int64_t last = 1; last <= 17; last += 8)
            for (int i = 0; i < 6; i++) {
                const struct how plain = {300, 2, 2, 9, windows[i], 0},
                                 grouped = {300, 4, 2, 6, windows[i], 0.25};
                check_cached_keys((enum gg_precision)precision, last, plain);
                check_cached_keys((enum gg_precision)precision, last, grouped);
            }
}

/* One query of each of three texts, of two caches, at positions of their own. */
enum { QUERIES = 3, CACHED = 340 };
static const int64_t owners[QUERIES] = {1, 0, 1}, firsts[QUERIES] = {299, 0, CACHED - 1};

struct decoded {
    struct problem cache;
    struct gg_attention shape;
    struct tensor query, out;
};

static void decode(const void *argument) {
    const struct decoded *d = argument;
    gg_attention_decode(&d->shape, d->query.values, part(&d->cache, 1), part(&d->cache, 2), d->out.values,
                        d->cache.workspace);
}

static void check_one_query(enum gg_precision stored, struct how how) {
    how.time = CACHED;
    struct decoded d = {.cache = make(stored, how)};
    const int64_t width = d.cache.width, key = column(&d.cache, 1), value = column(&d.cache, 2);
    d.query = tensor_make(stored, 6, QUERIES * width);
    d.out = tensor_make(stored, 7, QUERIES * width);
    d.shape = d.cache.shape;
    d.shape.sequences = QUERIES;
    d.shape.time = 1;
    d.shape.query_stride = width;
    d.shape.first = CACHED - 1;
    d.shape.firsts = firsts;
    d.shape.owners = owners;
    run_with_threads(decode, &d, (struct tensor *const[]){&d.out}, 1);
    double *expected = case_doubles(d.out.count), *sizes = case_doubles(d.out.count);
    double *log_sums = case_doubles(how.heads), *magnitudes = tensor_magnitudes(&d.cache.qkv);
    for (int64_t i = 0; i < QUERIES; i++) {
        struct gg_attention one = d.shape;
        const int64_t at = owners[i] * CACHED * d.cache.row;
        const double *query = d.query.exact + i * width, *cache = d.cache.qkv.exact + at;
        one.sequences = 1;
        one.first = firsts[i];
        reference_attention(&one, query, cache + key, magnitudes + at + value, sizes + i * width, log_sums);
        reference_attention(&one, query, cache + key, cache + value, expected + i * width, log_sums);
    }
    tensor_check("one query", &d.out, expected, sizes, fp32_units(&d.cache, CACHED));
    case_end();
}

static void one_query(void **state) {
    (void)state;
    static const int64_t windows[] = {0, 1, 7, 100, 1000},
                         shapes[][3] = {{2, 2, 9}, {4, 2, 6}, {3, 3, 16}, {6, 1, 70}};
    for (int precision = 0; precision < 2; precision++)
        for (int w = 0; w < 5; w++)
            for (int i = 0; i < 4; i++)
                check_one_query((enum gg_precision)precision, (struct how){CACHED, shapes[i][0], shapes[i][1],
                                                                           shapes[i][2], windows[w], 0});
}

/* Scores that grow from block to block make the running maximum move, and none may overflow. */
static void growing_scores(void **state) {
    (void)state;
    enum { TIME = 600, SIZE = 4 };
    struct problem p = make(GG_PRECISION_FP32, (struct how){TIME, 1, 1, SIZE, 0, 0});
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
    for (int64_t group = 2; group <= 8;
         group *= 2) /* the gradients of all keys and values stay, however many */
        assert_int_equal(gg_attention_workspace_bytes(GG_PRECISION_FP32, 8192, 64, group, 3) -
                             gg_attention_workspace_bytes(GG_PRECISION_FP32, 4096, 64, group, 3),
                         (size_t)3 * 4096 * (3 * 64 + 1) * sizeof(float));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(odd_shapes),     cmocka_unit_test(dropout),
                                       cmocka_unit_test(groups),         cmocka_unit_test(windows),
                                       cmocka_unit_test(skipped_blocks), cmocka_unit_test(cached_keys),
                                       cmocka_unit_test(one_query),      cmocka_unit_test(growing_scores),
                                       cmocka_unit_test(scratch),        cmocka_unit_test(texts),
                                       cmocka_unit_test(skipped_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
