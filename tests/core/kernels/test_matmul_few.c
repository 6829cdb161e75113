/* Products of a few rows against their plain twin in double precision, and what they promise besides: the same
 * bits for a row whatever stands beside it, for any number of threads, and from every way to multiply pairs. */
#include "tests/kernel_case.h"

#include "core/kernels/matmul/few_panel_internal.h"
#include "core/kernels/matmul/matmul_few.h"
#include "core/kernels/processor.h"
#include "tests/reference/reference_matmul.h"

enum { MOST_ROWS = 19 };

struct product {
    enum gg_precision operands, result;
    enum gg_transpose transpose_w;
    int64_t rows, out, in;
    struct tensor x, w, y;
};

static struct product make(int form, int64_t rows, int64_t out, int64_t in) {
    struct product p = {.operands = form & 1 ? GG_PRECISION_BF16 : GG_PRECISION_FP32,
                        .result = form & 2 ? GG_PRECISION_BF16 : GG_PRECISION_FP32,
                        .transpose_w = form & 4 ? GG_TRANSPOSED : GG_PLAIN,
                        .rows = rows,
                        .out = out,
                        .in = in};
    p.x = tensor_make(p.operands, 1, rows * in);
    p.w = tensor_make(p.operands, 2, in * out);
    p.y = tensor_make(p.result, 3, rows * out);
    return p;
}

static void multiply(const void *argument) {
    const struct product *p = argument;
    gg_matmul_few(p->operands, p->transpose_w, p->rows, p->out, p->in, p->x.values, p->w.values, p->result,
                  p->y.values);
}

static void check_values(const struct product *p) {
    const bool transposed = p->transpose_w == GG_TRANSPOSED;
    const struct reference_operand x = {p->x.values, p->operands, p->in, false};
    const struct reference_operand w = {p->w.values, p->operands, transposed ? p->in : p->out, transposed};
    double *expected = case_doubles(p->rows * p->out), *sizes = case_doubles(p->rows * p->out);
    reference_matmul(&x, &w, p->rows, p->out, p->in, 1, 0, expected, sizes, p->out);
    tensor_check("product", &p->y, expected, sizes, sum_units(p->in) + 2);
}

/* Each row by itself. */
static void check_rows(const struct product *p) {
    const int64_t row_bytes = p->out * (int64_t)gg_stored_bytes(p->result);
    for (int64_t r = 0; r < p->rows; r++) {
        struct tensor alone = tensor_make(p->result, 4, p->out);
        gg_matmul_few(p->operands, p->transpose_w, 1, p->out, p->in,
                      gg_at(p->operands, p->x.values, r * p->in), p->w.values, p->result, alone.values);
        if (memcmp(alone.values, (const char *)p->y.values + r * row_bytes, (size_t)row_bytes) != 0)
            fail_msg("%lld x %lld x %lld: row %lld has other bits alone", (long long)p->rows,
                     (long long)p->out, (long long)p->in, (long long)r);
    }
}

static void compare(int64_t rows, int64_t out, int64_t in) {
    for (int form = 0; form < 8; form++) {
        struct product p = make(form, rows, out, in);
        struct tensor *outputs[] = {&p.y};
        run_with_threads(multiply, &p, outputs, 1);
        check_values(&p);
        check_rows(&p);
        case_end();
    }
}

/* Columns and sums that no vector divides, for every number of rows; more columns than a thread takes at once,
 * and so many weights that threads share them. */
static void products(void **state) {
    (void)state;
    static const int64_t shapes[][2] = {{1, 1}, {2, 16}, {5, 7}, {31, 15}, {33, 17}, {64, 32}, {98, 101}};
    for (int64_t rows = 1; rows <= 9; rows++)
        for (int i = 0; i < (int)(sizeof shapes / sizeof *shapes); i++)
            compare(rows, shapes[i][0], shapes[i][1]);
    compare(3, 130, 769);
    compare(8, 1101, 53);
    compare(1, 8500, 18);
    compare(MOST_ROWS, 190, 203);
}

/* A panel as matmul_few.c gives it out, by either way. */
static void run_panel(gg_few_panel_run *run, const struct product *p, float *sums) {
    enum { APART = 16 };
    const int64_t stride = (p->out + APART - 1) / APART * APART;
    const struct gg_few_panel panel = {.stored = p->operands,
                                       .transpose_w = p->transpose_w,
                                       .rows = p->rows,
                                       .in = p->in,
                                       .columns = p->out,
                                       .x = p->x.values,
                                       .x_stride = p->in,
                                       .w = p->w.values,
                                       .w_stride = p->out,
                                       .sums = sums,
                                       .sums_stride = stride};
    memset(sums, 0, (size_t)(GG_FEW_ROWS * stride) * sizeof *sums);
    run(&panel);
}

/* The processor's instruction and the plain code, to the last bit. */
static void pairs_alike(void **state) {
    (void)state;
    enum { OUT = 133, IN = 173, SUMS = GG_FEW_ROWS * 144 };
    _Alignas(64) static float plain[SUMS], fast[SUMS];
#ifdef __FMA__
    const bool fused = true;
#else
    const bool fused = false; /* a build for processors without it rounds twice */
#endif
    if (!gg_processor_here()->avx512_bf16 || !fused)
        skip();
    for (int64_t rows = 1; rows <= GG_FEW_ROWS; rows++)
        for (int transposed = 0; transposed < 2; transposed++) {
            struct product p = make(1 + 4 * transposed, rows, OUT, IN);
            run_panel(gg_few_panel_plain, &p, plain);
            run_panel(gg_few_panel_avx512_bf16, &p, fast);
            if (memcmp(plain, fast, sizeof plain) != 0)
                fail_msg("%lld rows%s: the plain code has other bits", (long long)rows,
                         transposed ? ", transposed" : "");
            case_end();
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(products), cmocka_unit_test(pairs_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
