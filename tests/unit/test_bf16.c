/* bfloat16: rounding, products, and every kernel against its fp32 twin on the same (rounded) inputs.
 *
 * A stored result is off by half a unit in the last of 8 bits, at most 2^-8 of itself; kernels compute in
 * fp32, so that one rounding is all their error (STORED, with a hair for values on the border). Sums in fp32
 * differ by their order.
 */
#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/kernels/activation.h"
#include "core/kernels/attention.h"
#include "core/kernels/loss.h"
#include "core/kernels/matmul.h"
#include "core/kernels/norm.h"
#include "core/kernels/residual.h"
#include "core/kernels/rows.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define STORED (1.01 / 256)

/* The same numbers in both precisions. */
struct twin {
    int64_t count;
    float *wide;
    gg_bf16 *narrow;
};

static struct twin twin_make(uint64_t stream, int64_t count) {
    struct twin t = {count, gg_malloc((size_t)count * sizeof(float)),
                     gg_malloc((size_t)count * sizeof(gg_bf16))};
    for (int64_t i = 0; i < count; i++) {
        t.narrow[i] = gg_bf16_round((float)gg_random_normal(21, stream, (uint64_t)i));
        t.wide[i] = gg_bf16_value(t.narrow[i]);
    }
    return t;
}

static void twin_free(struct twin *t) {
    free(t->wide);
    free(t->narrow);
}

/* Element by element: |narrow - wide| <= STORED |wide| + floor. */
static void twin_check(const char *what, const struct twin *t, double floor) {
    for (int64_t i = 0; i < t->count; i++) {
        const double got = (double)gg_bf16_value(t->narrow[i]), expected = (double)t->wide[i];
        if (!(fabs(got - expected) <= STORED * fabs(expected) + floor))
            fail_msg("%s: %.9g at %lld, expected %.9g", what, got, (long long)i, expected);
    }
}

static void rounding(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        const float value = gg_bf16_value((gg_bf16)bits);
        if (value == value)
            assert_int_equal(gg_bf16_round(value), bits);
        else
            assert_true(isnan(gg_bf16_value(gg_bf16_round(value))));
    }
    assert_int_equal(gg_bf16_round(1 + 1.0f / 256), 0x3f80);    /* a tie, down to even */
    assert_int_equal(gg_bf16_round(1 + 3.0f / 256), 0x3f82);    /* a tie, up to even */
    assert_int_equal(gg_bf16_round(1 + 1.0001f / 256), 0x3f81); /* above a tie */
    assert_int_equal(gg_bf16_round(3.4e38f), 0x7f80);           /* beyond the largest */
    assert_int_equal(gg_bf16_round(-NAN) & 0x7f80, 0x7f80);
    float values[1000], back[1000];
    gg_bf16 rounded[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = (float)gg_random_normal(1, 2, (uint64_t)i);
    gg_bf16_from_floats(values, rounded, 1000);
    gg_floats_from_bf16(rounded, back, 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(fabsf(back[i] - values[i]) <= fabsf(values[i]) / 256 &&
                    rounded[i] == gg_bf16_round(values[i]));
}

/* One product in every form, with rows further apart than they are long. */
static void compare_product(int64_t m, int64_t n, int64_t k, int64_t gap) {
    for (int form = 0; form < 16; form++) {
        const bool ta = form & 1, tb = form & 2, accumulate = form & 4;
        const enum gg_precision result = form & 8 ? GG_PRECISION_BF16 : GG_PRECISION_FP32;
        const int64_t lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
        struct twin a = twin_make(1, (ta ? k : m) * lda), b = twin_make(2, (tb ? n : k) * ldb);
        struct twin c = twin_make(3, m * ldc);
        float *sums = gg_malloc((size_t)c.count * sizeof *sums);
        memcpy(sums, c.wide, (size_t)c.count * sizeof *sums);
        const enum gg_transpose oa = ta ? GG_TRANSPOSED : GG_PLAIN, ob = tb ? GG_TRANSPOSED : GG_PLAIN;
        gg_matmul(oa, ob, m, n, k, a.wide, lda, b.wide, ldb, accumulate, c.wide, ldc);
        gg_matmul_bf16(oa, ob, m, n, k, a.narrow, lda, b.narrow, ldb, accumulate, result,
                       result == GG_PRECISION_FP32 ? (void *)sums : (void *)c.narrow, ldc);
        if (result == GG_PRECISION_FP32)
            check_close("fp32 result", sums, c.wide, c.count, 2e-6);
        else
            twin_check("bf16 result", &c, 1e-5 * sqrt((double)k));
        twin_free(&a);
        twin_free(&b);
        twin_free(&c);
        free(sums);
    }
}

static void products(void **state) {
    (void)state;
    compare_product(1, 1, 1, 0);
    compare_product(3, 5, 7, 2);
    compare_product(1, 65, 33, 0);
    compare_product(128, 64, 100, 13);
    compare_product(70, 129, 256, 1);
}

/* Each thread of a region multiplies alone, and all get the same. */
static void products_in_parallel(void **state) {
    (void)state;
    enum { M = 96, N = 80, K = 64, THREADS = 3 };
    struct twin a = twin_make(4, M * K), b = twin_make(5, K * N);
    float expected[M * N];
    static float got[THREADS][M * N];
    gg_matmul(GG_PLAIN, GG_PLAIN, M, N, K, a.wide, K, b.wide, N, false, expected, N);
    const int before = omp_get_max_threads();
    omp_set_num_threads(2);
#pragma omp parallel num_threads(THREADS)
    for (int round = 0; round < 3; round++)
        gg_matmul_bf16(GG_PLAIN, GG_PLAIN, M, N, K, a.narrow, K, b.narrow, N, false, GG_PRECISION_FP32,
                       got[omp_get_thread_num()], N);
    assert_int_equal(omp_get_max_threads(), 2);
    for (int i = 0; i < THREADS; i++)
        check_close("a thread's product", got[i], expected, M * N, 2e-6);
    omp_set_num_threads(before);
    twin_free(&a);
    twin_free(&b);
}

/* More shapes than are kept ready at once. */
static void many_shapes(void **state) {
    (void)state;
    enum { K = 16, MOST = 800 };
    struct twin a = twin_make(6, K), b = twin_make(7, MOST * K);
    float expected[MOST], got[MOST];
    gg_matmul(GG_PLAIN, GG_TRANSPOSED, 1, MOST, K, a.wide, K, b.wide, K, false, expected, MOST);
    for (int turn = 0; turn < 2; turn++)
        for (int n = 1; n <= MOST; n += turn == 0 ? 1 : 100) {
            gg_matmul_bf16(GG_PLAIN, GG_TRANSPOSED, 1, n, K, a.narrow, K, b.narrow, K, false,
                           GG_PRECISION_FP32, got, n);
            check_close("row", got, expected, n, 1e-5);
        }
    twin_free(&a);
    twin_free(&b);
}

enum { TOKENS = 24, WIDTH = 77, ELEMENTS = TOKENS * WIDTH };
static const enum gg_precision both[] = {GG_PRECISION_FP32, GG_PRECISION_BF16};

static void *part(const struct twin *t, enum gg_precision precision) {
    return precision == GG_PRECISION_BF16 ? (void *)t->narrow : (void *)t->wide;
}

static void activation(void **state) {
    (void)state;
    struct twin u = twin_make(1, ELEMENTS), y = twin_make(2, ELEMENTS), again = twin_make(2, ELEMENTS);
    struct twin d_y = twin_make(3, ELEMENTS), d_u = twin_make(4, ELEMENTS), bias = twin_make(5, WIDTH);
    for (int i = 0; i < 2; i++)
        gg_gelu(both[i], part(&u, both[i]), bias.wide, part(&y, both[i]), TOKENS, WIDTH);
    twin_check("y", &y, 1e-6);
    for (int i = 0; i < 2; i++)
        gg_gelu_backward(both[i], part(&u, both[i]), bias.wide, part(&d_y, both[i]), part(&d_u, both[i]),
                         part(&again, both[i]), TOKENS, WIDTH);
    twin_check("d_u", &d_u, 1e-6);
    assert_memory_equal(again.wide, y.wide, ELEMENTS * sizeof *y.wide);
    assert_memory_equal(again.narrow, y.narrow, ELEMENTS * sizeof *y.narrow);
    gg_bf16 *kept = gg_malloc(ELEMENTS * sizeof *kept);
    memcpy(kept, d_u.narrow, ELEMENTS * sizeof *kept);
    gg_gelu_backward(GG_PRECISION_BF16, u.narrow, bias.wide, d_y.narrow, d_u.narrow, NULL, TOKENS, WIDTH);
    assert_memory_equal(kept, d_u.narrow, ELEMENTS * sizeof *kept);
    free(kept);
    struct twin *all[] = {&u, &y, &again, &d_y, &d_u, &bias};
    for (int i = 0; i < 6; i++)
        twin_free(all[i]);
}

static void norm(void **state) {
    (void)state;
    struct twin x = twin_make(1, ELEMENTS), y = twin_make(2, ELEMENTS), d_y = twin_make(3, ELEMENTS);
    struct twin d_x = twin_make(4, ELEMENTS), gain = twin_make(5, WIDTH), bias = twin_make(6, WIDTH);
    float sums[2][2 * TOKENS], squares[2][TOKENS], stats[2][2 * TOKENS];
    float d_gain[2][WIDTH] = {{0}}, d_bias[2][WIDTH] = {{0}};
    for (int i = 0; i < 2; i++) {
        const enum gg_precision p = both[i];
        gg_norm_sums(p, part(&x, p), sums[i], TOKENS, WIDTH);
        gg_norm_squares(p, part(&x, p), sums[i], squares[i], TOKENS, WIDTH, WIDTH);
        gg_norm_apply(p, part(&x, p), sums[i], squares[i], gain.wide, bias.wide, part(&y, p), stats[i],
                      TOKENS, WIDTH, WIDTH);
        gg_norm_backward_parameters(p, part(&x, p), stats[i], part(&d_y, p), d_gain[i], d_bias[i], TOKENS,
                                    WIDTH);
        gg_norm_backward_sums(p, part(&x, p), stats[i], gain.wide, part(&d_y, p), sums[i], TOKENS, WIDTH);
        gg_norm_backward_input(p, part(&x, p), stats[i], gain.wide, part(&d_y, p), sums[i], part(&d_x, p),
                               TOKENS, WIDTH, WIDTH);
    }
    check_close("statistics", stats[1], stats[0], 2 * TOKENS, 2e-6);
    check_close("d_gain", d_gain[1], d_gain[0], WIDTH, 2e-6);
    check_close("d_bias", d_bias[1], d_bias[0], WIDTH, 2e-6);
    twin_check("y", &y, 1e-5);
    twin_check("d_x", &d_x, 1e-5);
    struct twin *all[] = {&x, &y, &d_y, &d_x, &gain, &bias};
    for (int i = 0; i < 6; i++)
        twin_free(all[i]);
}

static void rows(void **state) {
    (void)state;
    const uint64_t samples[] = {3, 8};
    struct gg_dropout_rows dropout = {
        .sample_ids = samples, .time = TOKENS / 2, .context = TOKENS / 2, .whole_width = WIDTH};
    struct twin x = twin_make(1, ELEMENTS), branch = twin_make(2, ELEMENTS), y = twin_make(3, ELEMENTS);
    struct twin bias = twin_make(4, WIDTH), positions = twin_make(5, ELEMENTS / 2);
    float sums[2][WIDTH] = {{0}}, position_sums[2][ELEMENTS / 2] = {{0}};
    void *workspace = gg_malloc(gg_residual_workspace_bytes(WIDTH, omp_get_max_threads()));
    for (int with_dropout = 0; with_dropout < 2; with_dropout++) {
        dropout.dropout = gg_dropout_make(with_dropout ? 0.3 : 0, 6);
        for (int i = 0; i < 2; i++)
            gg_residual_add(both[i], part(&x, both[i]), part(&branch, both[i]), bias.wide, &dropout,
                            part(&y, both[i]), TOKENS, WIDTH, workspace);
        twin_check("residual", &y, 1e-6);
    }
    for (int i = 0; i < 2; i++) {
        const enum gg_precision p = both[i];
        gg_bias_gradient(p, part(&branch, p), sums[i], TOKENS, WIDTH);
        gg_positions_gradient(p, part(&branch, p), position_sums[i], TOKENS, TOKENS / 2, WIDTH);
        gg_dropout_apply(p, part(&branch, p), &dropout, part(&y, p), TOKENS, WIDTH, workspace);
    }
    check_close("bias gradient", sums[1], sums[0], WIDTH, 1e-6);
    check_close("positions' gradient", position_sums[1], position_sums[0], ELEMENTS / 2, 1e-6);
    twin_check("dropout", &y, 0);
    for (int i = 0; i < 2; i++)
        gg_bias_add(both[i], part(&x, both[i]), bias.wide, TOKENS, WIDTH);
    twin_check("bias", &x, 1e-6);
    for (int i = 0; i < 2; i++)
        gg_positions_add(both[i], part(&branch, both[i]), positions.wide, TOKENS, TOKENS / 2, WIDTH);
    twin_check("positions", &branch, 1e-6);
    free(workspace);
    struct twin *all[] = {&x, &branch, &y, &bias, &positions};
    for (int i = 0; i < 5; i++)
        twin_free(all[i]);
}

/* d logits, narrowed in the logits' own memory, for any number of rows. */
static void loss_in_place(void **state) {
    (void)state;
    enum { VOCAB = 150, REAL = 141, MOST = 37 };
    for (int64_t tokens = 1; tokens <= MOST; tokens += 4) {
        struct twin start = twin_make(1, tokens * VOCAB), result = twin_make(2, tokens * VOCAB);
        int32_t targets[MOST];
        float largest[MOST], sums[2 * MOST], weights[MOST];
        for (int i = 0; i < MOST; i++) {
            targets[i] = (i * 37) % REAL;
            weights[i] = 0.5f + (float)i;
        }
        float *in_place = gg_malloc((size_t)(tokens * VOCAB) * sizeof *in_place);
        const struct gg_logits logits = {in_place, tokens, VOCAB, 0, REAL};
        for (int i = 0; i < 2; i++) {
            memcpy(in_place, start.wide, (size_t)start.count * sizeof *in_place);
            gg_loss_maximum(&logits, largest);
            gg_loss_exponentials(&logits, largest, targets, sums);
            gg_loss_backward(&logits, sums, targets, weights, 0.25f, both[i], in_place);
            memcpy(part(&result, both[i]), in_place, (size_t)start.count * gg_stored_bytes(both[i]));
        }
        twin_check("d logits", &result, 0);
        twin_free(&start);
        twin_free(&result);
        free(in_place);
    }
}

/* Probabilities are rounded as well as results: errors relative to the largest. */
static void compare_attention(int64_t time, int64_t heads, int64_t size, double p_drop) {
    enum { SEQUENCES = 2 };
    static const uint64_t samples[SEQUENCES] = {5, 900};
    const int64_t width = heads * size, elements = SEQUENCES * time * width;
    struct twin qkv = twin_make(1, 3 * elements), d_out = twin_make(2, elements);
    struct twin out = twin_make(3, elements), d_qkv = twin_make(4, 3 * elements);
    float *log_sums = gg_malloc((size_t)(SEQUENCES * time * heads) * sizeof *log_sums);
    for (int i = 0; i < 2; i++) {
        const enum gg_precision p = both[i];
        const struct gg_attention shape = {.stored = p,
                                           .sequences = SEQUENCES,
                                           .time = time,
                                           .heads = heads,
                                           .head_size = size,
                                           .query_stride = 3 * width,
                                           .key_stride = 3 * width,
                                           .key_sequence_stride = time * 3 * width,
                                           .key_rows = time,
                                           .dropout = gg_dropout_make(p_drop, 7),
                                           .whole_heads = heads,
                                           .context = time,
                                           .sample_ids = samples};
        void *workspace = gg_malloc(gg_attention_workspace_bytes(p, time, size, omp_get_max_threads()));
        void *q = part(&qkv, p), *d_q = part(&d_qkv, p);
        gg_attention_forward(&shape, q, gg_at(p, q, width), gg_at(p, q, 2 * width), part(&out, p), log_sums,
                             workspace);
        gg_attention_backward(&shape, q, gg_at(p, q, width), gg_at(p, q, 2 * width), part(&out, p), log_sums,
                              part(&d_out, p), d_q, gg_at(p, d_q, width), gg_at(p, d_q, 2 * width),
                              workspace);
        free(workspace);
    }
    float *got = gg_malloc((size_t)(3 * elements) * sizeof *got);
    gg_floats_from_bf16(out.narrow, got, elements);
    check_close("out", got, out.wide, elements, 2 * STORED);
    gg_floats_from_bf16(d_qkv.narrow, got, 3 * elements);
    check_close("d_qkv", got, d_qkv.wide, 3 * elements, 4 * STORED);
    free(got);
    free(log_sums);
    struct twin *all[] = {&qkv, &d_out, &out, &d_qkv};
    for (int i = 0; i < 4; i++)
        twin_free(all[i]);
}

static void attention(void **state) {
    (void)state;
    compare_attention(7, 3, 5, 0);
    compare_attention(128, 2, 16, 0);
    compare_attention(300, 1, 12, 0);
    compare_attention(150, 2, 8, 0.3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rounding),
                                       cmocka_unit_test(activation),
                                       cmocka_unit_test(norm),
                                       cmocka_unit_test(rows),
                                       cmocka_unit_test(loss_in_place),
                                       cmocka_unit_test(products),
                                       cmocka_unit_test(products_in_parallel),
                                       cmocka_unit_test(many_shapes),
                                       cmocka_unit_test(attention)};
    if (!gg_matmul_has_bf16()) {
        printf("skipped: no bf16: %s\n", gg_matmul_bf16_lack());
        return 77;
    }
    printf("matmul: %s in bf16\n", gg_matmul_maker(GG_PRECISION_BF16));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
