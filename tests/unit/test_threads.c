/* Kernels whose results must not depend on the number of threads: the same bits with 1, 2, 3 and 5. */
#include "tests/check.h"

#include "core/base/arena.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/kernels/activation.h"
#include "core/kernels/loss.h"
#include "core/kernels/norm.h"
#include "core/kernels/residual.h"
#include "core/kernels/rows.h"
#include "core/model/fabric.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Sizes that no number of threads divides; long enough sums to show another order. */
enum { SEQUENCES = 3, TIME = 131, TOKENS = SEQUENCES * TIME, WIDTH = 203, VOCAB = 77, MOST = TOKENS * WIDTH };
enum { MOST_THREADS = 5 };

/* What the kernels read (and write): filled with the same numbers before each call. */
static struct {
    float a[MOST], b[MOST], c[MOST], vector[WIDTH], other[WIDTH], sums[4 * TOKENS];
    float scratch[MOST_THREADS * WIDTH];
    int32_t ids[TOKENS];
    uint64_t samples[SEQUENCES];
} data, expected;

static enum gg_precision stored;

static void fill_rows(float *values, int64_t count, uint64_t stream) {
    for (int64_t i = 0; i < count; i++) {
        const float value = (float)gg_random_normal(3, stream, (uint64_t)i);
        values[i] = value;
    }
    if (stored == GG_PRECISION_BF16)
        for (int64_t i = 0; i < count; i++)
            ((gg_bf16 *)values)[i] = gg_bf16_round(values[i]);
}

static void fill(void) {
    const enum gg_precision rows = stored;
    memset(&data, 0, sizeof data);
    fill_rows(data.a, MOST, 1);
    fill_rows(data.b, MOST, 2);
    fill_rows(data.c, MOST, 3);
    stored = GG_PRECISION_FP32;
    fill_rows(data.vector, WIDTH, 4);
    fill_rows(data.other, WIDTH, 5);
    fill_rows(data.sums, 4 * TOKENS, 6);
    stored = rows;
    for (int i = 0; i < TOKENS; i++)
        data.ids[i] = (int32_t)(gg_random_bits(3, 7, (uint64_t)i) % VOCAB);
    for (int i = 0; i < SEQUENCES; i++)
        data.samples[i] = 40 + 3 * (uint64_t)i;
}

static struct gg_dropout_rows dropout_rows(void) {
    return (struct gg_dropout_rows){.dropout = gg_dropout_make(0.2, 9),
                                    .site = 2,
                                    .sample_ids = data.samples,
                                    .time = TIME,
                                    .context = TIME,
                                    .whole_width = WIDTH};
}

static void gelu(void) {
    gg_gelu(stored, data.a, data.vector, data.b, TOKENS, WIDTH);
}

static void gelu_backward(void) {
    gg_gelu_backward(stored, data.a, data.vector, data.b, data.b, data.c, TOKENS, WIDTH);
}

static void bias_add(void) {
    gg_bias_add(stored, data.a, data.vector, TOKENS, WIDTH);
}

static void bias_gradient(void) {
    gg_bias_gradient(stored, data.a, data.vector, TOKENS, WIDTH);
}

static void norm(void) {
    float *sums = data.sums, *squares = data.sums + TOKENS;
    gg_norm_sums(stored, data.a, sums, TOKENS, WIDTH);
    gg_norm_squares(stored, data.a, sums, squares, TOKENS, WIDTH, WIDTH);
    gg_norm_apply(stored, data.a, sums, squares, data.vector, data.other, data.b, data.sums + 2 * TOKENS,
                  TOKENS, WIDTH, WIDTH);
}

static void norm_input(void) {
    gg_norm_backward_sums(stored, data.a, data.sums, data.vector, data.b, data.sums + 2 * TOKENS, TOKENS,
                          WIDTH);
    gg_norm_backward_input(stored, data.a, data.sums, data.vector, data.b, data.sums + 2 * TOKENS, true,
                           data.c, TOKENS, WIDTH, WIDTH);
}

static void norm_parameters(void) {
    gg_norm_backward_parameters(stored, data.a, data.sums, data.b, data.vector, data.other, TOKENS, WIDTH);
}

static void residual(void) {
    const struct gg_dropout_rows rows = dropout_rows();
    gg_residual_add(stored, data.a, data.b, data.vector, &rows, data.c, TOKENS, WIDTH, data.scratch);
    memset(data.scratch, 0, sizeof data.scratch);
}

static void dropout(void) {
    const struct gg_dropout_rows rows = dropout_rows();
    gg_dropout_apply(stored, data.a, &rows, data.b, TOKENS, WIDTH, data.scratch);
    memset(data.scratch, 0, sizeof data.scratch);
}

static void positions(void) {
    gg_positions_add(stored, data.a, (const float *)data.c, TOKENS, TIME, WIDTH);
}

static void positions_gradient(void) {
    gg_positions_gradient(stored, data.a, data.b, TOKENS, TIME, WIDTH);
}

static void embedding(void) {
    const struct gg_fabric fabric = gg_fabric_local();
    fabric.embedding_rows(&fabric, data.a, VOCAB, WIDTH * gg_stored_bytes(stored), data.ids, TOKENS, data.b);
}

static void embedding_gradient(void) {
    const struct gg_fabric fabric = gg_fabric_local();
    fabric.embedding_gradient(&fabric, stored, data.a, data.ids, TOKENS, data.b, VOCAB, WIDTH);
}

static void loss(void) {
    const struct gg_logits logits = {data.a, TOKENS, WIDTH, 0, WIDTH - 3};
    float *largest = data.sums + 2 * TOKENS;
    gg_loss_maximum(&logits, largest);
    gg_loss_exponentials(&logits, largest, data.ids, data.sums);
    const double sum = gg_loss_sum(data.sums, NULL, TOKENS);
    memcpy(data.vector, &sum, sizeof sum);
    gg_loss_backward(&logits, data.sums, data.ids, NULL, 0.1f, stored, data.a);
}

static void rounding(void) {
    gg_bf16_from_floats(data.sums, (gg_bf16 *)data.a, 4 * TOKENS);
    gg_floats_from_bf16((gg_bf16 *)data.b, data.c, MOST);
}

static const struct {
    const char *name;
    void (*run)(void);
} kernels[] = {{"gelu", gelu},
               {"gelu_backward", gelu_backward},
               {"bias_add", bias_add},
               {"bias_gradient", bias_gradient},
               {"norm", norm},
               {"norm_input", norm_input},
               {"norm_parameters", norm_parameters},
               {"residual", residual},
               {"dropout", dropout},
               {"positions", positions},
               {"positions_gradient", positions_gradient},
               {"embedding", embedding},
               {"embedding_gradient", embedding_gradient},
               {"loss", loss},
               {"rounding", rounding}};

static void same_bits(void **state) {
    (void)state;
    const int threads[] = {1, 2, 3, MOST_THREADS};
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
        for (int precision = 0; precision < 2; precision++) {
            stored = (enum gg_precision)precision;
            for (int i = 0; i < 4; i++) {
                omp_set_num_threads(threads[i]);
                fill();
                if (i == 0) {
                    memcpy(&expected, &data, sizeof data);
                    kernels[k].run();
                    if (memcmp(&expected, &data, sizeof data) == 0)
                        fail_msg("%s does nothing", kernels[k].name);
                    memcpy(&expected, &data, sizeof data);
                } else {
                    kernels[k].run();
                }
                if (memcmp(&expected, &data, sizeof data) != 0)
                    fail_msg("%s: %d threads give other bits than one", kernels[k].name, threads[i]);
            }
        }
    omp_set_num_threads(1);
}

/* All of it and no more, for any length and start. */
static void zeroes(void **state) {
    (void)state;
    const size_t lengths[] = {0, 1, 63, 4095, 4096, 4097, 100001};
    unsigned char *memory = malloc(100200);
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int i = 0; i < 7; i++) {
            omp_set_num_threads(threads);
            memset(memory, 0xAA, 100200);
            gg_zero(memory + 100 + i, lengths[i]);
            for (size_t at = 0; at < 100200; at++)
                if ((memory[at] == 0) != (at >= 100 + (size_t)i && at < 100 + (size_t)i + lengths[i]))
                    fail_msg("%d threads, %zu bytes: byte %zu is %d", threads, lengths[i], at, memory[at]);
        }
    free(memory);
    /* Pieces of an arena. */
    struct gg_arena arena = {0};
    gg_arena_take(&arena, 10000);
    gg_arena_floats(&arena, 70000);
    CHECK_OK(gg_arena_allocate(&arena, "a test"));
    const char *first = gg_arena_take(&arena, 10000);
    const float *second = gg_arena_floats(&arena, 70000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(first[i], 0);
    for (int i = 0; i < 70000; i++)
        assert_true(second[i] == 0);
    gg_arena_free(&arena);
    omp_set_num_threads(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits),
        cmocka_unit_test(zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
