/* What a model is used for, what it is given, and what its time goes to: for the model and its modules.
 */
#ifndef GG_CORE_MODEL_MODEL_TYPES_H
#define GG_CORE_MODEL_MODEL_TYPES_H

#include <stdint.h>

typedef struct gg_model gg_model;

enum gg_model_use {
    GG_MODEL_TRAIN,    /* forward and backward */
    GG_MODEL_EVALUATE, /* forward: loss */
    GG_MODEL_GENERATE, /* forward with a key-value cache: logits */
};

/* A micro-batch of this rank's token shard. */
struct gg_batch {
    int64_t sequences;          /* at most local_sequences */
    int64_t time;               /* tokens of each, at most context */
    const int32_t *inputs;      /* (sequences, time) ids */
    const int32_t *targets;     /* (sequences, time) ids */
    const float *loss_weights;  /* (sequences, time), or NULL: 1 each */
    const uint64_t *sample_ids; /* (sequences) global sample numbers, which dropout masks derive from */
    const int32_t *starts;      /* (sequences, time) as in struct gg_marks, or NULL: a sequence is one text */
    const int32_t *labels;      /* (sequences, time) targets of a head of classes; */
    const float *label_weights; /* and their weights: a model with such a head is given both */
};

/* What the time of a pass goes to; names in gg_kernel_kind_names (model.h). */
enum gg_kernel_kind {
    GG_KERNEL_MATMUL,
    GG_KERNEL_ATTENTION,
    GG_KERNEL_RESIDUAL_NORM,
    GG_KERNEL_ACTIVATION,
    GG_KERNEL_EMBEDDING,
    GG_KERNEL_LOSS,
    GG_KERNEL_KINDS
};

struct gg_model_times {
    double forward[GG_KERNEL_KINDS], backward[GG_KERNEL_KINDS]; /* seconds */
    double recompute[GG_KERNEL_KINDS]; /* forward passes amid the backward pass, not counted there */
    double hook;                       /* inside the gradient hook */
};

#endif
