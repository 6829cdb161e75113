/* The loss and its gradient, over one to three shards of the vocabulary, against the plain twin. */
#include "tests/kernel_case.h"

#include "core/kernels/loss.h"
#include "tests/reference/reference_loss.h"

enum { MOST_SHARDS = 3, PADDING = 7 };
static const double SCALE = 0.37;

struct arguments {
    struct gg_logits *logits;
    struct tensor *values, *largest, *sums;
    const int32_t *targets;
    const float *weights;
    enum gg_precision stored;
    void *d_logits;
};

static void maximum(const void *argument) {
    const struct arguments *a = argument;
    gg_loss_maximum(a->logits, a->largest->values);
}

static void exponentials(const void *argument) {
    const struct arguments *a = argument;
    gg_loss_exponentials(a->logits, a->largest->values, a->targets, a->sums->values);
}

static void backward(const void *argument) {
    const struct arguments *a = argument;
    gg_loss_backward(a->logits, a->sums->values, a->targets, a->weights, (float)SCALE, a->stored,
                     a->d_logits);
}

/* The whole problem: (tokens, stride) logits, of which the first `vocab` are real. */
struct problem {
    int64_t tokens, vocab, stride;
    struct tensor logits;
    int32_t *targets;
    float *weights;
    double *expected, *sizes;
    double spread; /* the largest distance of a logit from its row's maximum */
};

/* Logits up to some tens apart; what stands in padding is large and must not count. */
static struct problem make(int64_t tokens, int64_t vocab, bool weighted) {
    struct problem p = {.tokens = tokens, .vocab = vocab, .stride = vocab + PADDING};
    p.logits = tensor_scaled(GG_PRECISION_FP32, 1, tokens * p.stride, 5);
    p.targets = case_take((size_t)tokens * sizeof *p.targets, 0);
    p.weights = weighted ? case_take((size_t)tokens * sizeof *p.weights, 0) : NULL;
    p.expected = case_doubles(p.logits.count);
    p.sizes = case_doubles(p.logits.count);
    for (int64_t t = 0; t < tokens; t++) {
        p.targets[t] = (int32_t)(t * 37 % vocab);
        if (weighted)
            p.weights[t] = t % 4 == 3 ? 0 : 0.5f + (float)t;
        for (int64_t v = vocab; v < p.stride; v++)
            tensor_set(&p.logits, t * p.stride + v, 1e4);
        for (int64_t v = 0; v < vocab; v++)
            p.spread = fmax(p.spread, 2 * fabs(p.logits.exact[t * p.stride + v]));
    }
    reference_loss_backward(p.logits.exact, p.targets, p.weights, SCALE, tokens, p.stride, vocab, p.expected);
    for (int64_t t = 0; t < tokens; t++) {
        const double weight = weighted ? (double)p.weights[t] : 1;
        for (int64_t v = 0; v < p.stride; v++) {
            const double d = fabs(p.expected[t * p.stride + v]);
            p.sizes[t * p.stride + v] = v == p.targets[t] ? d + 2 * SCALE * weight : d;
        }
    }
    return p;
}

/* Columns [from, from + local) of a row of `stride`. */
static double *columns(const double *whole, int64_t tokens, int64_t stride, int64_t from, int64_t local) {
    double *part = case_doubles(tokens * local);
    for (int64_t t = 0; t < tokens; t++)
        memcpy(part + t * local, whole + t * stride + from, (size_t)local * sizeof *part);
    return part;
}

/* Maximum and sums over shards, as the caller takes them. */
static void exchange(struct tensor *parts, int shards, bool maximum_of, struct tensor *total) {
    for (int64_t i = 0; i < total->count; i++) {
        float value = ((float *)parts[0].values)[i];
        for (int s = 1; s < shards; s++) {
            const float other = ((float *)parts[s].values)[i];
            value = !maximum_of ? value + other : other > value ? other : value;
        }
        ((float *)total->values)[i] = value;
    }
}

/* d logits into memory of their own, then in the logits' place, which they leave nothing of. */
static void check_backward(const struct problem *p, struct arguments *a, int64_t from, double units) {
    const int64_t local = a->logits->local_vocab;
    const double *expected = columns(p->expected, p->tokens, p->stride, from, local);
    const double *sizes = columns(p->sizes, p->tokens, p->stride, from, local);
    float *kept = case_take((size_t)a->values->count * sizeof *kept, 0);
    memcpy(kept, a->values->values, (size_t)a->values->count * sizeof *kept);
    for (int precision = 0; precision < 2; precision++) {
        a->stored = (enum gg_precision)precision;
        struct tensor d_logits = tensor_make(a->stored, 2, a->values->count);
        a->d_logits = d_logits.values;
        run_with_threads(backward, a, (struct tensor *const[]){&d_logits}, 1);
        tensor_check("d logits", &d_logits, expected, sizes, units);
        memcpy(a->values->values, kept, (size_t)a->values->count * sizeof *kept);
        a->d_logits = a->values->values;
        run_with_threads(backward, a, (struct tensor *const[]){a->values}, 1);
        assert_memory_equal(a->values->values, d_logits.values,
                            (size_t)d_logits.count * gg_stored_bytes(a->stored));
        memcpy(a->values->values, kept, (size_t)a->values->count * sizeof *kept);
    }
}

static void check_loss(int64_t tokens, int64_t vocab, int shards, bool weighted) {
    struct problem p = make(tokens, vocab, weighted);
    struct tensor values[MOST_SHARDS], largest[MOST_SHARDS], sums[MOST_SHARDS];
    struct tensor total = tensor_make(GG_PRECISION_FP32, 5, tokens),
                  total_sums = tensor_make(GG_PRECISION_FP32, 5, 2 * tokens);
    struct gg_logits logits[MOST_SHARDS];
    struct arguments a[MOST_SHARDS];
    for (int s = 0; s < shards; s++) {
        const int64_t from = s * p.stride / shards, local = (s + 1) * p.stride / shards - from;
        const double *part = columns(p.logits.exact, tokens, p.stride, from, local);
        values[s] = tensor_make(GG_PRECISION_FP32, 0, tokens * local);
        for (int64_t i = 0; i < tokens * local; i++)
            tensor_set(&values[s], i, part[i]);
        largest[s] = tensor_make(GG_PRECISION_FP32, 3, tokens);
        sums[s] = tensor_make(GG_PRECISION_FP32, 4, 2 * tokens);
        logits[s] = (struct gg_logits){values[s].values, tokens, local, from, vocab};
        a[s] = (struct arguments){.logits = &logits[s],
                                  .values = &values[s],
                                  .largest = &largest[s],
                                  .sums = &sums[s],
                                  .targets = p.targets,
                                  .weights = p.weights};
        run_with_threads(maximum, &a[s], (struct tensor *const[]){&largest[s]}, 1);
    }
    exchange(largest, shards, true, &total);
    for (int s = 0; s < shards; s++) {
        a[s].largest = &total;
        run_with_threads(exponentials, &a[s], (struct tensor *const[]){&values[s], &sums[s]}, 2);
    }
    exchange(sums, shards, false, &total_sums);
    /* An exponential is off by a rounding of its argument and, itself, by four; then comes the sum. */
    const double units = (double)vocab + p.spread + 8;
    double size = 0;
    for (int64_t t = 0; t < tokens; t++)
        size += (weighted ? (double)p.weights[t] : 1) * (1 + p.spread);
    const double expected = reference_loss(p.logits.exact, p.targets, p.weights, tokens, p.stride, vocab);
    const double got = gg_loss_sum(total_sums.values, p.weights, tokens);
    if (!(fabs(got - expected) <= units * ldexp(size, -24)))
        fail_msg("loss of %lld x %lld: %.9g, expected %.9g", (long long)tokens, (long long)vocab, got,
                 expected);
    for (int s = 0; s < shards; s++) {
        a[s].sums = &total_sums;
        check_backward(&p, &a[s], logits[s].first, 2 * units);
    }
    case_end();
}

/* Three shards of few entries: the last may have padding alone. */
static void shapes(void **state) {
    (void)state;
    static const int64_t tokens[] = {1, 2, 17, 33}, vocabs[] = {1, 3, 15, 17, 63, 65, 127, 769};
    for (int t = 0; t < 4; t++)
        for (int v = 0; v < 8; v++)
            check_loss(tokens[t], vocabs[v], 1 + (t + v) % MOST_SHARDS, v % 2);
    for (int shards = 1; shards <= MOST_SHARDS; shards++)
        check_loss(40, 5, shards, true);
}

/* The loss of rows of three logits whose first is the target. */
static double loss_of(double a, double b, double c) {
    float row[] = {(float)a, (float)b, (float)c}, largest, sums[2];
    const int32_t target = 0;
    const struct gg_logits logits = {row, 1, 3, 0, 3};
    gg_loss_maximum(&logits, &largest);
    gg_loss_exponentials(&logits, &largest, &target, sums);
    return gg_loss_sum(sums, NULL, 1);
}

/* Large logits have a finite loss; what is no number, or infinite, must not go unseen. */
static void extremes(void **state) {
    (void)state;
    const double big = 1e30;
    assert_true(loss_of(big, 0, -big) == 0);
    assert_true(fabs(loss_of(0, big, 0) / big - 1) < 1e-6);
    assert_true(fabs(loss_of(-big, -big, -big) - log(3)) < 1e-6);
    assert_true(fabs(loss_of(5000, 5100, 4000) - 100) < 1e-4);
    assert_true(fabs(loss_of(0, 0, 0) - log(3)) < 1e-6);
    assert_true(fabs(loss_of(0, -INFINITY, 0) - log(2)) < 1e-6);
    for (int at = 0; at < 3; at++) {
        double row[3] = {1, 2, 3};
        row[at] = NAN;
        assert_false(isfinite(loss_of(row[0], row[1], row[2])));
        row[at] = INFINITY;
        assert_false(isfinite(loss_of(row[0], row[1], row[2])));
    }
    assert_false(isfinite(loss_of(-INFINITY, 0, 0)));
    assert_false(isfinite(loss_of(-INFINITY, -INFINITY, -INFINITY)));
    assert_false(isfinite(loss_of(NAN, NAN, NAN)));
}

/* In a long row, wherever it stands among the vectors. */
static void not_a_number_anywhere(void **state) {
    (void)state;
    enum { VOCAB = 150, REAL = 141 };
    for (int at = 0; at < REAL; at++)
        for (int kind = 0; kind < 2; kind++) {
            float row[VOCAB] = {0}, largest, sums[2];
            const int32_t target = 70;
            const struct gg_logits logits = {row, 1, VOCAB, 0, REAL};
            row[at] = kind ? INFINITY : NAN;
            row[REAL] = NAN; /* padding, which does not count */
            gg_loss_maximum(&logits, &largest);
            gg_loss_exponentials(&logits, &largest, &target, sums);
            if (isfinite(gg_loss_sum(sums, NULL, 1)))
                fail_msg("a logit %d that is no number gives a finite loss", at);
        }
}

/* The twin's gradient is the slope of its loss, but for the scale. */
static void twin_agrees_with_itself(void **state) {
    (void)state;
    double row[] = {0.3, -1, 2, 0.5, 99}, gradient[5];
    const int32_t target = 3;
    reference_loss_backward(row, &target, NULL, 1, 1, 5, 4, gradient);
    for (int v = 0; v < 5; v++) {
        double losses[2];
        for (int i = 0; i < 2; i++) {
            row[v] += i == 0 ? 1e-6 : -2e-6;
            losses[i] = reference_loss(row, &target, NULL, 1, 5, 4);
        }
        row[v] += 1e-6;
        assert_true(fabs((losses[0] - losses[1]) / 2e-6 - gradient[v]) < 1e-8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(extremes),
                                       cmocka_unit_test(not_a_number_anywhere),
                                       cmocka_unit_test(twin_agrees_with_itself)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
