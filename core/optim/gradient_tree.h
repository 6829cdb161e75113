/* The gradients of the virtual replicas that one replica plays, one after the other, added in the order of the tree
 * (core/plan/summation.h).
 *
 * The backward pass adds to one flat buffer. When a virtual replica is through, what it made is put away, joined with
 * every whole branch that waits for it; at each level of the tree one branch waits at most, in a buffer of its own.
 * The last one's gradients stay where they are, and take up what waits range by range, as they become final. Local.
 */
#ifndef GG_CORE_OPTIM_GRADIENT_TREE_H
#define GG_CORE_OPTIM_GRADIENT_TREE_H

#include <stdint.h>

struct gg_gradient_tree {
    float *gradients;      /* (elements) */
    float *const *waiting; /* (levels) of (elements) each */
    int64_t elements;
    int played;         /* virtual replicas, a power of two, or 1 */
    int done;           /* put away so far in this step */
    int64_t taken_from; /* of the last one: gradients from here on have taken up what waits */
};

/* Begins a step; the gradients are zero. */
void gg_gradient_tree_begin(struct gg_gradient_tree *tree);

/* The gradients are a virtual replica's, and not the last one's: puts them away, and clears them for the next. */
void gg_gradient_tree_put(struct gg_gradient_tree *tree);

/* The last one's gradients are final from `from` on, which only falls: there they become the sum of all. */
void gg_gradient_tree_take(struct gg_gradient_tree *tree, int64_t from);

#endif
