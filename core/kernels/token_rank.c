#include "core/kernels/token_rank.h"

#include <math.h>
#include <stdbool.h>

/* Columns of this rank that are none of padding. */
static int64_t real_columns(const struct gg_logits *logits) {
    const int64_t left = logits->vocab - logits->first;
    return left < 0 ? 0 : left < logits->local_vocab ? left : logits->local_vocab;
}

static bool counts(const float *weights, int64_t t) {
    return weights == NULL || weights[t] != 0;
}

void gg_rank_targets(const struct gg_logits *logits, const int32_t *targets, const float *weights,
                     float *values) {
    const int64_t columns = real_columns(logits);
    for (int64_t t = 0; t < logits->tokens; t++) {
        const int64_t column = targets[t] - logits->first;
        const bool mine = counts(weights, t) && column >= 0 && column < columns;
        values[t] = mine ? logits->values[t * logits->local_vocab + column] : 0;
    }
}

/* Entries of equal logits count up to the target's column: all of them on shards before its own. */
static int64_t count_before(const float *row, int64_t columns, float value, int64_t column) {
    const int64_t lower = column < 0 ? 0 : column < columns ? column : columns;
    int64_t count = 0;
#pragma omp simd reduction(+ : count)
    for (int64_t c = 0; c < lower; c++)
        count += row[c] >= value;
#pragma omp simd reduction(+ : count)
    for (int64_t c = lower; c < columns; c++)
        count += row[c] > value;
    return count;
}

void gg_rank_counts(const struct gg_logits *logits, const int32_t *targets, const float *weights,
                    const float *values, float *counted) {
    const int64_t columns = real_columns(logits);
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < logits->tokens; t++) {
        const float *row = logits->values + t * logits->local_vocab;
        if (!counts(weights, t))
            counted[t] = 0;
        else if (isnan(values[t]))
            counted[t] = (float)columns;
        else
            counted[t] = (float)count_before(row, columns, values[t], targets[t] - logits->first);
    }
}

/* Whether the entry (value, id) stands behind another one; NaN does behind none. */
static bool is_behind(float value, int64_t id, float other_value, int64_t other_id) {
    return value < other_value || (value == other_value && id > other_id);
}

void gg_rank_next(const struct gg_logits *logits, const float *weights, const float *values,
                  const int32_t *ids, float *next_values, int32_t *next_ids) {
    const int64_t columns = real_columns(logits);
#pragma omp parallel for schedule(static)
    for (int64_t t = 0; t < logits->tokens; t++) {
        const float *row = logits->values + t * logits->local_vocab;
        float best = counts(weights, t) ? -INFINITY : 0;
        int64_t best_id = counts(weights, t) ? logits->vocab : 0;
        for (int64_t c = 0; c < (counts(weights, t) ? columns : 0); c++)
            if (row[c] > best &&
                (values == NULL || is_behind(row[c], logits->first + c, values[t], ids[t]))) {
                best = row[c];
                best_id = logits->first + c;
            }
        next_values[t] = best;
        next_ids[t] = (int32_t)best_id;
    }
}
