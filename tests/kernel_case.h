/* What tests of kernels share: inputs in a precision beside the doubles that the plain twin takes, runs with
 * several numbers of threads, and a comparison whose bound follows from the formats.
 *
 * A kernel computes in float32 from what is stored. Each of its operations is off by at most 2^-24 of its
 * result, so a result that n of them lead to is off by at most n 2^-24 of the size of what went into it: the
 * sum of the terms' magnitudes, not their sum, which may have cancelled. A result stored in bfloat16 is
 * rounded once more, by half the distance of its numbers there. Tests say the operations (`units`) and the
 * sizes.
 */
#ifndef GG_TESTS_KERNEL_CASE_H
#define GG_TESTS_KERNEL_CASE_H

#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/kernels/storage.h"
#include "tests/reference/reference_bf16.h"

#include <float.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Numbers as a kernel takes them, and the same as doubles. */
struct tensor {
    enum gg_precision stored;
    int64_t count;
    void *values;  /* at an address that no vector is aligned to */
    double *exact; /* what was put in; a kernel's results are not seen here */
};

/* Values begin after a guard whose length no vector divides. */
enum { CASE_MOST = 160, CASE_GUARD = 68, CASE_THREADS = 4 };

/* All memory of the case that runs, freed by case_end. Values of a tensor stand between guards. */
static struct {
    unsigned char *memory;
    size_t bytes; /* of guarded values; 0: without guards */
} case_memory[CASE_MOST];
static int case_count;

static inline void *case_take(size_t bytes, size_t guarded) {
    assert_true(case_count < CASE_MOST);
    case_memory[case_count].bytes = guarded;
    return case_memory[case_count++].memory = gg_calloc(bytes, 1);
}

/* (count) zeros. */
static inline double *case_doubles(int64_t count) {
    return case_take((size_t)count * sizeof(double), 0);
}

/* Frees all; fails if anything was written beside a tensor's values. */
static inline void case_end(void) {
    for (int i = 0; i < case_count; i++) {
        const unsigned char *memory = case_memory[i].memory;
        const size_t bytes = case_memory[i].bytes;
        for (size_t at = 0; bytes > 0 && at < CASE_GUARD; at++)
            if (memory[at] != 0xA5 || memory[CASE_GUARD + bytes + at] != 0xA5)
                fail_msg("memory %d of the case: written beside its %zu bytes", i, bytes);
        free(case_memory[i].memory);
    }
    case_count = 0;
}

/* So many bytes between guards. */
static inline void *case_values(size_t bytes) {
    const size_t all = bytes + (size_t)2 * CASE_GUARD;
    unsigned char *memory = case_take(all, bytes);
    memset(memory, 0xA5, all);
    return memory + CASE_GUARD;
}

static inline void tensor_set(struct tensor *t, int64_t index, double value) {
    gg_store(t->stored, t->values, index, (float)value);
    t->exact[index] = (double)gg_load(t->stored, t->values, index);
}

/* (count) normal numbers times `deviation`, the same for the same stream, as near as the precision has them.
 */
static inline struct tensor tensor_scaled(enum gg_precision stored, uint64_t stream, int64_t count,
                                          double deviation) {
    struct tensor t = {stored, count, case_values((size_t)count * gg_stored_bytes(stored)),
                       case_doubles(count)};
    for (int64_t i = 0; i < count; i++)
        tensor_set(&t, i, deviation * gg_random_normal(77, stream, (uint64_t)i));
    return t;
}

static inline struct tensor tensor_make(enum gg_precision stored, uint64_t stream, int64_t count) {
    return tensor_scaled(stored, stream, count, 1);
}

/* The results that stand in a tensor, as doubles. */
static inline double *tensor_results(const struct tensor *t) {
    double *results = case_doubles(t->count);
    for (int64_t i = 0; i < t->count; i++)
        results[i] = (double)gg_load(t->stored, t->values, i);
    return results;
}

static inline size_t tensor_bytes(const struct tensor *t) {
    return (size_t)t->count * gg_stored_bytes(t->stored);
}

/* Calls run(argument) with 1, 2, 3 and 4 threads, each time from the same contents of `outputs`, and fails
 * unless they end with the same bits. */
static inline void run_with_threads(void (*run)(const void *), const void *argument,
                                    struct tensor *const outputs[], int count) {
    unsigned char *before[8] = {0}, *first[8] = {0};
    assert_true(count <= 8);
    for (int i = 0; i < count; i++) {
        first[i] = gg_malloc(tensor_bytes(outputs[i]));
        before[i] = gg_malloc(tensor_bytes(outputs[i]));
        memcpy(before[i], outputs[i]->values, tensor_bytes(outputs[i]));
    }
    for (int threads = 1; threads <= CASE_THREADS; threads++) {
        for (int i = 0; i < count; i++)
            memcpy(outputs[i]->values, before[i], tensor_bytes(outputs[i]));
        omp_set_num_threads(threads);
        run(argument);
        for (int i = 0; i < count; i++)
            if (threads == 1)
                memcpy(first[i], outputs[i]->values, tensor_bytes(outputs[i]));
            else if (memcmp(first[i], outputs[i]->values, tensor_bytes(outputs[i])) != 0)
                fail_msg("output %d: %d threads give other bits than one", i, threads);
    }
    omp_set_num_threads(1);
    for (int i = 0; i < count; i++) {
        free(before[i]);
        free(first[i]);
    }
}

/* Units of a sum of `count` numbers of either sign, of the size that is the sum of their magnitudes. Each of
 * the roundings is off by 2^-24 of the partial sum; partial sums grow as sqrt(count), and so do the roundings
 * together, some being up and some down. That makes a few of the size, however long the sum. */
static inline double sum_units(int64_t count) {
    return count < 4 ? (double)count : 4;
}

/* How far a result may be off: see above. */
static inline double tensor_tolerance(enum gg_precision stored, double expected, double size, double units) {
    const double computed = units * ldexp(size, -24) + (double)FLT_MIN;
    return stored == GG_PRECISION_BF16 ? computed + reference_bf16_half_ulp(fabs(expected) + computed)
                                       : computed;
}

/* Compares each result with the twin's.
 *   sizes [in] of what went into each; NULL: of the result itself
 *   units [in] operations, each off by 2^-24 of the size */
static inline void tensor_check(const char *what, const struct tensor *got, const double *expected,
                                const double *sizes, double units) {
    double worst = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < got->count; i++) {
        const double size = sizes != NULL ? sizes[i] : fabs(expected[i]);
        const double error = fabs((double)gg_load(got->stored, got->values, i) - expected[i]);
        const double share = error / tensor_tolerance(got->stored, expected[i], size, units);
        if (!(share <= worst)) {
            worst = share;
            at = i;
        }
    }
    if (!(worst <= 1))
        fail_msg("%s of %lld in %s: largest error %.3g times its tolerance, at %lld: %.9g, expected %.9g, "
                 "tolerance %.3g",
                 what, (long long)got->count, got->stored == GG_PRECISION_BF16 ? "bf16" : "fp32", worst,
                 (long long)at, (double)gg_load(got->stored, got->values, at), expected[at],
                 tensor_tolerance(got->stored, expected[at], sizes != NULL ? sizes[at] : fabs(expected[at]),
                                  units));
}

/* The magnitudes of a tensor's numbers: a twin that only adds and multiplies gives its sizes from them. */
static inline double *tensor_magnitudes(const struct tensor *t) {
    double *magnitudes = case_doubles(t->count);
    for (int64_t i = 0; i < t->count; i++)
        magnitudes[i] = fabs(t->exact[i]);
    return magnitudes;
}

/* Runs a case in both precisions, for rows and features that no vector divides, and for more rows than any
 * kernel takes at once. */
static inline void for_each_shape(void (*run)(enum gg_precision stored, int64_t tokens, int64_t width)) {
    static const int64_t tokens[] = {1, 2, 17, 33}, widths[] = {1, 3, 15, 17, 63, 65, 127, 769};
    for (int precision = 0; precision < 2; precision++) {
        for (int t = 0; t < 4; t++)
            for (int w = 0; w < 8; w++) {
                run((enum gg_precision)precision, tokens[t], widths[w]);
                case_end();
            }
        run((enum gg_precision)precision, 300, 203);
        case_end();
    }
}

#endif
