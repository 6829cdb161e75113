/* Optimizers: what turns a gradient into new weights. Each is a page (adamw.c, sgd.c) behind this interface,
 * which checkpoints, memory and ZeRO ask for its states by name and size. All local.
 *
 * An update works on a range of the flat buffers of the parameter table, so that ranks that share a replica's
 * weights (ZeRO) update their parts alone, with the bits of a whole update.
 */
#ifndef GG_CORE_OPTIM_OPTIMIZER_H
#define GG_CORE_OPTIM_OPTIMIZER_H

#include "core/kernels/storage.h"
#include "core/model/parameters.h"
#include "core/optim/optim_settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GG_OPTIMIZER_MOST_STATES = 2 };

/* What an update may be cut into. */
enum gg_granularity {
    GG_GRANULARITY_ELEMENT, /* any range: each element by itself */
    GG_GRANULARITY_MATRIX,  /* whole tensors only */
};

struct gg_optimizer {
    const struct gg_optimizer_kind *kind;
    double beta1, beta2, eps; /* AdamW's */
    double momentum;          /* SGD's */
    double weight_decay;      /* of tensors whose decay flag is set */
};

/* One update of the elements [from, to) of the flat buffers; each pointer is to the range's part. */
struct gg_update {
    const struct gg_parameter_table *table;
    int64_t from, to;
    double learning_rate;  /* of this step */
    int64_t step;          /* the number of this update, from 1 */
    double gradient_scale; /* every gradient is multiplied by it first (clipping) */
    const float *gradients;
    float *states[GG_OPTIMIZER_MOST_STATES]; /* [in,out] as the kind names them; zero before the first */
    float *weights;                          /* [in,out] */
    gg_bf16 *rounded; /* [out] the new weights in bfloat16, written in the same pass; or NULL */
};

/* Numbers that an update's elements have in common, as the inner loop takes them. */
struct gg_update_factors {
    float scale;     /* of gradients */
    float values[8]; /* the kind's own */
};

/* `count` elements of one tensor. */
struct gg_update_part {
    int64_t count;
    const float *gradients;
    float *states[GG_OPTIMIZER_MOST_STATES];
    float *weights;
    gg_bf16 *rounded;
    bool decay;
};

struct gg_optimizer_kind {
    const char *name; /* as optim.name has it */
    enum gg_granularity granularity;
    int state_count;
    const char *states[GG_OPTIMIZER_MOST_STATES]; /* PyTorch's names, which checkpoints use */
    void (*begin)(const struct gg_optimizer *optimizer, const struct gg_update *update,
                  struct gg_update_factors *factors);
    void (*update_part)(const struct gg_update_factors *factors, const struct gg_update_part *part);
};

extern const struct gg_optimizer_kind gg_optimizer_adamw, gg_optimizer_sgd;

/* All of them, then NULL. */
extern const struct gg_optimizer_kind *const gg_optimizer_kinds[];

/* The optimizer that settings describe (optim.name). */
struct gg_optimizer gg_optimizer_make(const struct gg_optim_settings *settings);

/* Updates a range with the rank's threads. Elements between tensors are not touched, padding has a zero
 * gradient and stays zero. The result does not depend on the number of threads, nor on how ranges are cut. */
void gg_optimizer_update(const struct gg_optimizer *optimizer, const struct gg_update *update);

/* Bytes of all states for so many elements. */
size_t gg_optimizer_state_bytes(const struct gg_optimizer_kind *kind, int64_t elements);

#endif
