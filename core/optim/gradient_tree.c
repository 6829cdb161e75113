#include "core/optim/gradient_tree.h"

#include "core/base/memory.h"
#include "core/kernels/tree_sum.h"

#include <stddef.h>
#include <string.h>

void gg_gradient_tree_begin(struct gg_gradient_tree *tree) {
    tree->done = 0;
    tree->taken_from = tree->elements;
}

/* gradients += waiting: whose branch stands to the left does not matter to a sum of two. */
static void join(float *gradients, const float *waiting, int64_t count) {
    const struct gg_share both[2] = {{waiting, GG_PRECISION_FP32}, {gradients, GG_PRECISION_FP32}};
    gg_tree_sum(both, 2, gradients, count);
}

/* to = from, from = 0. */
static void move(float *from, float *to, int64_t count) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        to[i] = from[i];
        from[i] = 0;
    }
}

void gg_gradient_tree_put(struct gg_gradient_tree *tree) {
    GG_ASSERT(tree->done < tree->played - 1);
    int level = 0;
    for (; tree->done >> level & 1; level++)
        join(tree->gradients, tree->waiting[level], tree->elements);
    move(tree->gradients, tree->waiting[level], tree->elements);
    tree->done++;
}

void gg_gradient_tree_take(struct gg_gradient_tree *tree, int64_t from) {
    const int64_t count = tree->taken_from - from;
    if (count <= 0)
        return;
    for (int level = 0; tree->done >> level & 1; level++)
        join(tree->gradients + from, tree->waiting[level] + from, count);
    tree->taken_from = from;
}
