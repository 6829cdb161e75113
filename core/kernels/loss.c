#include "core/kernels/loss.h"

#include "core/kernels/vector_math.h"

#include <math.h>
#include <stdbool.h>

/* Columns of this rank that are none of padding. */
static int64_t real_columns(const struct gg_logits *logits) {
    const int64_t left = logits->vocab - logits->first;
    return left < 0 ? 0 : left < logits->local_vocab ? left : logits->local_vocab;
}

void gg_loss_maximum(const struct gg_logits *logits, float *largest) {
    const int64_t columns = real_columns(logits);
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < logits->tokens; t++) {
        const float *row = logits->values + t * logits->local_vocab;
        float best = -INFINITY;
#pragma omp simd reduction(max : best)
        for (int64_t c = 0; c < columns; c++)
            best = row[c] > best ? row[c] : best;
        largest[t] = best;
    }
}

void gg_loss_exponentials(const struct gg_logits *logits, const float *largest, const int32_t *targets,
                          float *sums) {
    const int64_t columns = real_columns(logits);
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < logits->tokens; t++) {
        float *row = logits->values + t * logits->local_vocab;
        const int64_t target = targets[t] - logits->first;
        const float shift = largest[t];
        sums[2 * t + 1] = target >= 0 && target < columns ? row[target] - shift : 0;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < columns; c++) {
            const float e = gg_expf(row[c] - shift);
            row[c] = e;
            sum += e;
        }
        sums[2 * t] = sum;
    }
}

double gg_loss_sum(const float *sums, const float *weights, int64_t tokens) {
    double total = 0;
    for (int64_t t = 0; t < tokens; t++)
        total += (weights != NULL ? (double)weights[t] : 1.0) *
                 (log((double)sums[2 * t]) - (double)sums[2 * t + 1]);
    return total;
}

/* One token's row. Writes no element before it has read it, so that it may narrow a row in its own place. */
GG_KERNEL_BODY void backward_row(enum gg_precision stored, const struct gg_logits *logits, const float *row,
                                 int64_t target, float share, float factor, void *d_row) {
    const int64_t columns = real_columns(logits);
    const bool mine = target >= 0 && target < columns;
    const float d_target = mine ? row[target] * factor - share : 0;
    for (int64_t c = 0; c < columns; c++)
        gg_store(stored, d_row, c, row[c] * factor);
    for (int64_t c = columns; c < logits->local_vocab; c++)
        gg_store(stored, d_row, c, 0);
    if (mine)
        gg_store(stored, d_row, target, d_target);
}

/* In place, a bf16 row t takes the memory that float rows t/2 stood in: rows of a run [first, 2 first) write
 * only over rows before `first`, so that runs of doubling length leave nothing unread. Row 0 is a run of its
 * own. With float32 rows order does not matter: one run. */
void gg_loss_backward(const struct gg_logits *logits, const float *sums, const int32_t *targets,
                      const float *weights, float scale, enum gg_precision stored, void *d_logits) {
    const int64_t first_run = stored == GG_PRECISION_BF16 ? 1 : logits->tokens;
    for (int64_t first = 0, last = first_run; first < logits->tokens; first = last, last *= 2) {
        const int64_t end = last < logits->tokens ? last : logits->tokens;
#pragma omp parallel for schedule(static)
        for (int64_t t = first; t < end; t++) {
            const float share = weights != NULL ? scale * weights[t] : scale;
            GG_SPECIALISE(backward_row, stored, logits, logits->values + t * logits->local_vocab,
                          targets[t] - logits->first, share, share / sums[2 * t],
                          gg_at(stored, d_logits, t * logits->local_vocab));
        }
    }
}
