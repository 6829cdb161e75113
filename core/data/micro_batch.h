/* Rows of tokens that a model takes at once, and what marks them.
 */
#ifndef GG_CORE_DATA_MICRO_BATCH_H
#define GG_CORE_DATA_MICRO_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Marks of (rows, context) inputs. All NULL: a row is one text, and each of its targets counts once. */
struct gg_marks {
    float *loss_weights; /* of the targets; 0: not learned from */
    int32_t *starts; /* place in the row where the text begins that an input belongs to: it sees none before,
                           * and positions count from there. Never falls along a row */
    int32_t *labels; /* class of the text that ends with this input; 0 where there is none */
    float *label_weights; /* 1 where a class is told, else 0 */
};

/* Bytes of the marks of one input. */
enum { GG_MARK_BYTES = 2 * (sizeof(float) + sizeof(int32_t)) };

struct gg_micro_batch {
    int32_t *inputs, *targets; /* (rows, context) ids; a target is the token behind its input */
    uint64_t *sample_ids;      /* (rows) */
    struct gg_marks marks;
};

/* The marks from input `first` on; none stay none. */
static inline struct gg_marks gg_marks_from(const struct gg_marks *marks, int64_t first) {
    if (marks->loss_weights == NULL)
        return *marks;
    return (struct gg_marks){marks->loss_weights + first, marks->starts + first, marks->labels + first,
                             marks->label_weights + first};
}

/* What the losses of some inputs are divided by in a mean: the classes that are told, or the weights of targets. */
static inline double gg_marks_count(const struct gg_marks *marks, int64_t inputs, bool classes) {
    const float *weights = classes ? marks->label_weights : marks->loss_weights;
    double count = weights == NULL ? (double)inputs : 0;
    for (int64_t i = 0; weights != NULL && i < inputs; i++)
        count += (double)weights[i];
    return count;
}

/* The marks of one text in which nothing counts. */
static inline void gg_marks_clear(const struct gg_marks *marks, int64_t inputs) {
    for (int64_t i = 0; marks->loss_weights != NULL && i < inputs; i++) {
        marks->loss_weights[i] = marks->label_weights[i] = 0;
        marks->starts[i] = marks->labels[i] = 0;
    }
}

#endif
