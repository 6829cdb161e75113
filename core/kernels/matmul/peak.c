#include "core/kernels/matmul/peak.h"

#include "core/base/clock.h"

#include <omp.h>
#include <stdint.h>

/* A vector register of the instruction set that is compiled for. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
typedef float vector __attribute__((vector_size(VECTOR_BYTES)));

/* Chains enough to hide a latency of 4 or 5 cycles on two units, few enough for 16 registers. */
enum { CHAINS = 10, LANES = VECTOR_BYTES / 4, ROUNDS = 200000, REPEATS = 6 };

/* Runs the chains and returns a number that depends on all of them. `one` is 1 and `zero` is 0, which the
 * compiler must not know: the values stay as they are. */
static float run_chains(float one, float zero) {
    const vector factor = {0}, term = {0};
    const vector a = factor + one, b = term + zero;
    vector x0 = a, x1 = a, x2 = a, x3 = a, x4 = a, x5 = a, x6 = a, x7 = a, x8 = a, x9 = a;
    for (int round = 0; round < ROUNDS; round++) {
        x0 = x0 * a + b;
        x1 = x1 * a + b;
        x2 = x2 * a + b;
        x3 = x3 * a + b;
        x4 = x4 * a + b;
        x5 = x5 * a + b;
        x6 = x6 * a + b;
        x7 = x7 * a + b;
        x8 = x8 * a + b;
        x9 = x9 * a + b;
    }
    const vector sum = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9;
    return sum[0];
}

double gg_peak_measure(void) {
    static volatile float one = 1, zero = 0, sink;
    double best = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        int threads = 1;
        float sum = 0;
        double seconds = 0;
#pragma omp parallel reduction(+ : sum) reduction(max : seconds)
        {
#pragma omp barrier
            const double begin = gg_clock_seconds();
            sum += run_chains(one, zero);
            seconds = gg_clock_seconds() - begin;
#pragma omp single
            threads = omp_get_num_threads();
        }
        sink = sum;
        const double rate = 2.0 * CHAINS * LANES * ROUNDS * threads / seconds;
        if (rate > best)
            best = rate;
    }
    (void)sink;
    return best;
}
