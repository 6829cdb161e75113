/* Layer norm and RMSNorm, pass by pass, on one and on two feature shards, against their plain twin. */
#include "tests/kernel_case.h"

#include "core/kernels/norm.h"
#include "tests/reference/reference_norm.h"

enum { SHARDS = 2 };

/* What a shard holds; sums and squares are those of all shards. RMSNorm has no sums: they are NULL. */
struct shard {
    struct gg_norm norm;
    int64_t tokens;
    bool add, biased;
    struct tensor x, y, d_y, d_x, gain, bias, d_gain, d_bias, own_sums, own_squares, own_products;
    struct tensor *sums, *squares, *products, *stats;
};

static void sums(const void *argument) {
    const struct shard *s = argument;
    gg_norm_sums(&s->norm, s->x.values, s->own_sums.values, s->tokens);
}

static void squares(const void *argument) {
    const struct shard *s = argument;
    gg_norm_squares(&s->norm, s->x.values, s->norm.centred ? s->sums->values : NULL, s->own_squares.values,
                    s->tokens);
}

static void apply(const void *argument) {
    const struct shard *s = argument;
    gg_norm_apply(&s->norm, s->x.values, s->norm.centred ? s->sums->values : NULL, s->squares->values,
                  s->gain.values, s->biased ? s->bias.values : NULL, s->y.values, s->stats->values,
                  s->tokens);
}

static void backward_sums(const void *argument) {
    const struct shard *s = argument;
    gg_norm_backward_sums(&s->norm, s->x.values, s->stats->values, s->gain.values, s->d_y.values,
                          s->own_products.values, s->tokens);
}

static void backward_input(const void *argument) {
    const struct shard *s = argument;
    gg_norm_backward_input(&s->norm, s->x.values, s->stats->values, s->gain.values, s->d_y.values,
                           s->products->values, s->add, s->d_x.values, s->tokens);
}

static void backward_parameters(const void *argument) {
    const struct shard *s = argument;
    gg_norm_backward_parameters(&s->norm, s->x.values, s->stats->values, s->d_y.values, s->d_gain.values,
                                s->biased ? s->d_bias.values : NULL, s->tokens);
}

/* The whole problem and what the twin says of it. */
struct problem {
    struct gg_norm norm; /* of all features */
    int64_t tokens;
    bool biased, shaped;
    struct tensor x, gain, bias, d_y, d_x, d_gain, d_bias;
    double *y_expected, *d_x_expected, *d_gain_expected, *d_bias_expected;
    double *y_sizes, *d_x_sizes, *d_gain_sizes, *d_bias_sizes;
};

/* Among normal rows: one far from zero, one that is all zeros, one without variance, one with hardly any.
 * Sums over rows with these have wide bounds. */
static void shape_rows(struct tensor *x, int64_t tokens, int64_t width) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++) {
            const double value = x->exact[t * width + c];
            const double values[] = {value, value, value + 30, 0, 7, value / 1000};
            tensor_set(x, t * width + c, values[t % 6]);
        }
}

/* What goes into xhat is the row's numbers and its mean, over the deviation; and the deviation is off in
 * proportion to its squares, which are sums of (x - mean)^2 where the mean is off by a share of mean |x|.
 * Without a mean neither counts. */
static void add_sizes(struct problem *p, int64_t t, double *xhat_sizes) {
    const int64_t width = p->norm.whole_width;
    const double *x = p->x.exact + t * width, *d_y = p->d_y.exact + t * width;
    const struct reference_moments m = reference_norm_moments(&p->norm, x);
    double magnitude = 0, spread = 0, d_mean = 0, product = 0;
    for (int64_t c = 0; p->norm.centred && c < width; c++) {
        magnitude += fabs(x[c]) / (double)width;
        spread += fabs(x[c] - m.mean) / (double)width;
    }
    const double deviation = 1 + spread * magnitude * m.inverse * m.inverse;
    for (int64_t c = 0; c < width; c++) {
        const double d_xhat = fabs(d_y[c] * p->gain.exact[c]);
        xhat_sizes[c] = (fabs(x[c]) + magnitude) * m.inverse * deviation;
        d_mean += p->norm.centred ? d_xhat / (double)width : 0;
        product += d_xhat * xhat_sizes[c] / (double)width;
        p->d_gain_sizes[c] += fabs(d_y[c]) * xhat_sizes[c];
        p->d_bias_sizes[c] += fabs(d_y[c]);
    }
    for (int64_t c = 0; c < width; c++) {
        const int64_t i = t * width + c;
        p->y_sizes[i] = fabs(p->gain.exact[c]) * xhat_sizes[c] + (p->biased ? fabs(p->bias.exact[c]) : 0);
        p->d_x_sizes[i] =
            (fabs(d_y[c] * p->gain.exact[c]) + d_mean + xhat_sizes[c] * product) * m.inverse * deviation +
            fabs(p->d_x.exact[i]);
    }
}

/* How a norm is asked for. */
struct how {
    bool centred, biased, add, shaped;
    int shards;
};

static struct problem make(enum gg_precision stored, int64_t tokens, int64_t width, const struct how *how) {
    const int64_t count = tokens * width;
    struct problem p = {.norm = {stored, how->centred, how->centred ? 1e-5f : 1e-6f, width, width},
                        .tokens = tokens,
                        .biased = how->biased,
                        .shaped = how->shaped,
                        .x = tensor_make(stored, 1, count),
                        .gain = tensor_make(GG_PRECISION_FP32, 2, width),
                        .bias = tensor_make(GG_PRECISION_FP32, 3, width),
                        .d_y = tensor_make(stored, 4, count),
                        .d_x = tensor_make(stored, 5, count),
                        .d_gain = tensor_make(GG_PRECISION_FP32, 6, width),
                        .d_bias = tensor_make(GG_PRECISION_FP32, 7, width),
                        .y_expected = case_doubles(count),
                        .d_x_expected = case_doubles(count),
                        .d_gain_expected = case_doubles(width),
                        .d_bias_expected = case_doubles(width),
                        .y_sizes = case_doubles(count),
                        .d_x_sizes = case_doubles(count)};
    if (how->shaped)
        shape_rows(&p.x, tokens, width);
    p.d_gain_sizes = tensor_magnitudes(&p.d_gain);
    p.d_bias_sizes = tensor_magnitudes(&p.d_bias);
    double *xhat_sizes = case_doubles(width);
    for (int64_t t = 0; t < tokens; t++)
        add_sizes(&p, t, xhat_sizes);
    reference_norm(&p.norm, p.x.exact, p.gain.exact, p.biased ? p.bias.exact : NULL, tokens, p.y_expected);
    reference_norm_backward(&p.norm, p.x.exact, p.gain.exact, p.d_y.exact, tokens, p.d_x_expected,
                            p.d_gain_expected, p.d_bias_expected);
    for (int64_t c = 0; c < width; c++) {
        p.d_gain_expected[c] += p.d_gain.exact[c];
        p.d_bias_expected[c] += p.d_bias.exact[c];
    }
    for (int64_t i = 0; how->add && i < count; i++)
        p.d_x_expected[i] += p.d_x.exact[i];
    return p;
}

/* Columns [from, from + count) of (rows, width). */
static double *columns(const double *whole, int64_t rows, int64_t width, int64_t from, int64_t count) {
    double *part = case_doubles(rows * count);
    for (int64_t r = 0; r < rows; r++)
        memcpy(part + r * count, whole + r * width + from, (size_t)count * sizeof *part);
    return part;
}

static struct tensor tensor_columns(const struct tensor *whole, int64_t rows, int64_t from, int64_t count) {
    struct tensor part = tensor_make(whole->stored, 0, rows * count);
    const double *values = columns(whole->exact, rows, whole->count / rows, from, count);
    for (int64_t i = 0; i < part.count; i++)
        tensor_set(&part, i, values[i]);
    return part;
}

/* What the caller does between two passes. */
static void add_shards(const struct tensor *first, const struct tensor *second, struct tensor *total) {
    for (int64_t i = 0; i < total->count; i++)
        ((float *)total->values)[i] =
            ((float *)first->values)[i] + (second != NULL ? ((float *)second->values)[i] : 0);
}

static void check_shard(const struct problem *p, struct shard *s, int64_t from) {
    const int64_t tokens = p->tokens, width = p->norm.whole_width, count = s->norm.width;
    /* Sums of a row's numbers, twice over for the squares, and a handful of operations around them. Numbers
     * that are all far from zero have one sign, and as many roundings as there are. */
    const double row = p->shaped ? (double)width : sum_units(width), once = 2 * row + 12,
                 twice = 3 * row + 16;
    const double rows = p->shaped ? (double)tokens : sum_units(tokens);
    tensor_check("y", &s->y, columns(p->y_expected, tokens, width, from, count),
                 columns(p->y_sizes, tokens, width, from, count), once);
    tensor_check("d_x", &s->d_x, columns(p->d_x_expected, tokens, width, from, count),
                 columns(p->d_x_sizes, tokens, width, from, count), twice);
    tensor_check("d_gain", &s->d_gain, p->d_gain_expected + from, p->d_gain_sizes + from, once + rows);
    if (p->biased)
        tensor_check("d_bias", &s->d_bias, p->d_bias_expected + from, p->d_bias_sizes + from,
                     sum_units(tokens + 1));
    for (int64_t t = 0; !s->norm.centred && t < tokens; t++)
        assert_true(((const float *)s->stats->values)[2 * t] == 0 &&
                    ((const float *)s->own_products.values)[2 * t] == 0);
}

/* Each pass on all shards, then what the caller does. */
static void run_shards(struct shard *shards, int count, struct tensor *total_sums,
                       struct tensor *total_squares, struct tensor *total_products) {
#define EACH(pass, ...)                                                                                      \
    for (struct shard *s = shards; s < shards + count; s++)                                                  \
    run_with_threads(pass, s, (struct tensor *const[]){__VA_ARGS__},                                         \
                     sizeof((struct tensor *const[]){__VA_ARGS__}) / sizeof(struct tensor *))
    const struct shard *other = count > 1 ? &shards[1] : NULL;
    if (shards->norm.centred) {
        EACH(sums, &s->own_sums);
        add_shards(&shards->own_sums, other != NULL ? &other->own_sums : NULL, total_sums);
    }
    EACH(squares, &s->own_squares);
    add_shards(&shards->own_squares, other != NULL ? &other->own_squares : NULL, total_squares);
    EACH(apply, &s->y, s->stats);
    EACH(backward_sums, &s->own_products);
    add_shards(&shards->own_products, other != NULL ? &other->own_products : NULL, total_products);
    EACH(backward_input, &s->d_x);
    EACH(backward_parameters, &s->d_gain, &s->d_bias);
#undef EACH
}

static void check_passes(enum gg_precision stored, int64_t tokens, int64_t width, const struct how how) {
    const int count = how.shards;
    struct problem p = make(stored, tokens, width, &how);
    struct tensor totals[4];
    for (int i = 0; i < 4; i++)
        totals[i] = tensor_make(GG_PRECISION_FP32, 8, (i < 2 ? 1 : 2) * tokens);
    struct shard shards[SHARDS];
    for (int i = 0; i < count; i++) {
        const int64_t from = i * width / count, here = (i + 1) * width / count - from;
        shards[i] = (struct shard){.norm = p.norm,
                                   .tokens = tokens,
                                   .add = how.add,
                                   .biased = how.biased,
                                   .x = tensor_columns(&p.x, tokens, from, here),
                                   .y = tensor_make(stored, 9, tokens * here),
                                   .d_y = tensor_columns(&p.d_y, tokens, from, here),
                                   .d_x = tensor_columns(&p.d_x, tokens, from, here),
                                   .gain = tensor_columns(&p.gain, 1, from, here),
                                   .bias = tensor_columns(&p.bias, 1, from, here),
                                   .d_gain = tensor_columns(&p.d_gain, 1, from, here),
                                   .d_bias = tensor_columns(&p.d_bias, 1, from, here),
                                   .own_sums = tensor_make(GG_PRECISION_FP32, 10, tokens),
                                   .own_squares = tensor_make(GG_PRECISION_FP32, 11, tokens),
                                   .own_products = tensor_make(GG_PRECISION_FP32, 12, 2 * tokens),
                                   .sums = &totals[0],
                                   .squares = &totals[1],
                                   .products = &totals[2],
                                   .stats = &totals[3]};
        shards[i].norm.width = here;
    }
    run_shards(shards, count, &totals[0], &totals[1], &totals[2]);
    for (int i = 0; i < count; i++)
        check_shard(&p, &shards[i], i * width / count);
    case_end();
}

static void check_norm(enum gg_precision stored, int64_t tokens, int64_t width) {
    const int shards = width > 1 ? SHARDS : 1;
    check_passes(stored, tokens, width,
                 (struct how){.centred = true, .biased = true, .shaped = true, .shards = 1});
    check_passes(stored, tokens, width,
                 (struct how){.centred = true, .biased = true, .add = true, .shards = shards});
    check_passes(stored, tokens, width, (struct how){.shaped = true, .shards = 1});
    check_passes(stored, tokens, width, (struct how){.add = true, .shards = shards});
}

/* The pairs of mean and bias that are left, at one shape. */
static void check_pairs(enum gg_precision stored, int64_t tokens, int64_t width) {
    check_passes(stored, tokens, width, (struct how){.centred = true, .shaped = true, .shards = 1});
    check_passes(stored, tokens, width, (struct how){.biased = true, .add = true, .shards = SHARDS});
}

static void shapes(void **state) {
    (void)state;
    for_each_shape(check_norm);
}

static void mean_and_bias(void **state) {
    (void)state;
    for (int precision = 0; precision < 2; precision++) {
        check_pairs((enum gg_precision)precision, 19, 63);
        check_pairs((enum gg_precision)precision, 300, 768);
    }
}

/* Rows of heads: many and short, and gradients of parameters whose runs of rows threads share. */
static void heads(void **state) {
    (void)state;
    static const int64_t widths[] = {5, 6, 20, 63, 64, 128};
    for (int w = 0; w < 6; w++) {
        check_passes((enum gg_precision)(w % 2), 4500, widths[w], (struct how){.shards = 1});
        check_passes(GG_PRECISION_BF16, 700, widths[w], (struct how){.add = true, .shards = 1});
        check_passes(GG_PRECISION_FP32, 8321, widths[w],
                     (struct how){.centred = true, .biased = true, .shards = 1});
    }
}

/* The numbers kept for the backward pass are mean and 1 / deviation. */
static void statistics(void **state) {
    (void)state;
    enum { TOKENS = 6, WIDTH = 65 };
    struct tensor x = tensor_make(GG_PRECISION_FP32, 1, TOKENS * WIDTH);
    struct tensor vector = tensor_make(GG_PRECISION_FP32, 2, WIDTH),
                  y = tensor_make(GG_PRECISION_FP32, 3, x.count);
    float row_sums[TOKENS], row_squares[TOKENS], stats[2 * TOKENS];
    shape_rows(&x, TOKENS, WIDTH);
    const struct gg_norm norm = {GG_PRECISION_FP32, true, 1e-5f, WIDTH, WIDTH};
    gg_norm_sums(&norm, x.values, row_sums, TOKENS);
    gg_norm_squares(&norm, x.values, row_sums, row_squares, TOKENS);
    gg_norm_apply(&norm, x.values, row_sums, row_squares, vector.values, vector.values, y.values, stats,
                  TOKENS);
    for (int t = 0; t < TOKENS; t++) {
        const struct reference_moments m = reference_norm_moments(&norm, x.exact + t * WIDTH);
        const double bound = ldexp(2 * WIDTH, -24), size = fabs(m.mean) + sqrt(m.variance);
        assert_true(fabs((double)stats[2 * t] - m.mean) <= bound * size);
        assert_true(fabs((double)stats[2 * t + 1] / m.inverse - 1) <= bound * (1 + size * m.inverse));
    }
    case_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(mean_and_bias),
                                       cmocka_unit_test(heads), cmocka_unit_test(statistics)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
