/* GPT-2 (Radford et al. 2019): pre-layer-norm blocks, learned positions, tanh-GELU, tied head.
 *
 * The model is a list of steps that each know their forward and backward pass (step.h); gpt_layout.c puts the
 * list together, gpt.c goes over it. In bf16, activations, their gradients and the operands of matmuls are
 * bfloat16 (storage.h); the residual stream is one of them. It is written against a fabric and does not know
 * how many ranks hold it. Weights and gradients are flat float32 buffers of the parameter table's layout and
 * belong to the caller.
 *
 * Everything that computes is collective over the fabric's ranks.
 */
#ifndef GG_CORE_MODEL_GPT_H
#define GG_CORE_MODEL_GPT_H

#include "core/base/settings.h"
#include "core/base/status.h"
#include "core/kernels/storage.h"
#include "core/model/fabric.h"
#include "core/model/parameters.h"

#include <stddef.h>
#include <stdint.h>

struct gg_gpt_config {
    int64_t layers, heads, width, context;
    int64_t vocab;        /* the tokenizer's */
    int64_t padded_vocab; /* rows of the embedding in memory; ids from vocab on never win */
    double dropout;
    uint64_t seed; /* of dropout */
    enum gg_precision precision;
    enum gg_recompute recompute; /* training only; loss and gradients are the same, bit for bit */
};

/* The configuration that settings describe.
 *   vocab  [in] the tokenizer's; taken where model.vocab is 0
 *   fabric [in] its P and Q: the padded vocabulary is a multiple of both, which no file shows
 * GG_USAGE: model.vocab smaller than the tokenizer's. Local. */
gg_status gg_gpt_configure(const struct gg_settings *settings, int64_t vocab, const struct gg_fabric *fabric,
                           struct gg_gpt_config *config) GG_MUST_USE;

/* Whether a model fits a fabric: P divides heads and padded_vocab, Q divides padded_vocab and the width.
 * GG_USAGE with what does not. Local. */
gg_status gg_gpt_check_grid(const struct gg_gpt_config *config, const struct gg_fabric *fabric) GG_MUST_USE;

/* How many of a rank's `local_tokens` rows of logits stand in memory at once. */
int64_t gg_gpt_head_tokens(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                           int64_t local_tokens);

/* The parameter table of a model on a fabric; fails as gg_gpt_check_grid does. Owned by the caller
 * (gg_parameter_table_free). Local. */
gg_status gg_gpt_parameters(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                            struct gg_parameter_table *table) GG_MUST_USE;

/* Parameters of the whole model, padding excluded. */
int64_t gg_gpt_parameter_count(const struct gg_gpt_config *config);

/* Floating-point operations per trained token: 6 (matmul weights, head included) + 6 L C T. The model's: what
 * recomputation repeats does not count. */
double gg_gpt_flops_per_token(const struct gg_gpt_config *config);

typedef struct gg_gpt gg_gpt;

enum gg_gpt_use {
    GG_GPT_TRAIN,    /* forward and backward */
    GG_GPT_EVALUATE, /* forward: loss */
    GG_GPT_GENERATE, /* forward with a key-value cache: logits */
};

/* Bytes that gg_gpt_create will allocate: activations, scratch and, in bf16, the rounded copy of the weights;
 * not weights or gradients. Fails as gg_gpt_parameters does. Local. */
gg_status gg_gpt_activation_bytes(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                                  enum gg_gpt_use use, int64_t local_sequences, size_t *bytes) GG_MUST_USE;

/* What messages call them when there is no memory for them, and what to do then. Local. */
const char *gg_gpt_activations_name(const struct gg_gpt_config *config, enum gg_gpt_use use);

/* Makes a model.
 *   fabric          [in]  kept; must outlive the model
 *   table           [in]  kept; must outlive the model
 *   local_sequences [in]  this rank's sequences of a micro-batch (micro-batch / Q)
 *   weights         [in]  flat buffer, kept; may change between calls (gg_gpt_weights_changed)
 *   gradients       [in]  flat buffer, kept; NULL unless GG_GPT_TRAIN
 * GG_RESOURCE: no memory. Local. */
gg_status gg_gpt_create(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                        const struct gg_parameter_table *table, enum gg_gpt_use use, int64_t local_sequences,
                        const float *weights, float *gradients, gg_gpt **gpt) GG_MUST_USE;
void gg_gpt_destroy(gg_gpt **gpt);

/* In bf16 the model multiplies with a rounded copy of its weights. This rounds them all again; to be called
 * after the weights changed. Nothing to do in fp32. Local. */
void gg_gpt_weights_changed(gg_gpt *gpt);

/* That copy, of the flat buffer's layout, for an optimizer that writes both at once; NULL in fp32. */
gg_bf16 *gg_gpt_rounded_weights(gg_gpt *gpt);

/* A micro-batch of this rank's token shard. */
struct gg_batch {
    int64_t sequences;          /* at most local_sequences */
    int64_t time;               /* tokens of each, at most context */
    const int32_t *inputs;      /* (sequences, time) ids */
    const int32_t *targets;     /* (sequences, time) ids */
    const float *loss_weights;  /* (sequences, time), or NULL: 1 each */
    const uint64_t *sample_ids; /* (sequences) global sample numbers, which dropout masks derive from */
};

/* Called during the backward pass: gradients at offsets >= `from` of the flat buffer are final for this
 * micro-batch, and `from` only ever falls, to 0 at last. Called between kernels even when nothing new is
 * final (then `from` is as before), so that communication may be driven on. */
struct gg_gradient_hook {
    void (*ready)(void *context, int64_t from);
    void *context;
};

/* Forward and backward pass of a micro-batch: adds d(loss_scale * sum of weighted losses) to the gradients.
 *   hook      [in]  or NULL
 *   loss_sum  [out] sum over this rank's tokens of weight * cross-entropy in nats, unscaled; the same on
 * every feature shard Gradients of vectors are this token shard's share: the caller sums them
 * over Q. Not finite inputs give a loss that is not finite, nothing else. */
void gg_gpt_train(gg_gpt *gpt, const struct gg_batch *batch, float loss_scale,
                  const struct gg_gradient_hook *hook, double *loss_sum);

/* Forward pass without dropout: sum of weighted losses, as above. */
void gg_gpt_evaluate(gg_gpt *gpt, const struct gg_batch *batch, double *loss_sum);

/* Forward pass of `count` more tokens of one sequence, with the key-value cache: the cache must hold the
 * tokens before `position`, and holds these too afterwards. position + count must not exceed the context.
 *   logits [out] (padded_vocab / P) of the last token, this rank's part; entries from `vocab` on mean nothing
 */
void gg_gpt_logits(gg_gpt *gpt, const int32_t *ids, int64_t count, int64_t position, float *logits);

/* Where the time went, by kind of kernel, since the last gg_gpt_times_reset. */
enum gg_kernel_kind {
    GG_KERNEL_MATMUL,
    GG_KERNEL_ATTENTION,
    GG_KERNEL_RESIDUAL_NORM,
    GG_KERNEL_ACTIVATION,
    GG_KERNEL_EMBEDDING,
    GG_KERNEL_LOSS,
    GG_KERNEL_KINDS
};
extern const char *const gg_kernel_kind_names[GG_KERNEL_KINDS];
struct gg_gpt_times {
    double forward[GG_KERNEL_KINDS], backward[GG_KERNEL_KINDS]; /* seconds */
    double again[GG_KERNEL_KINDS]; /* of forward passes repeated amid the backward pass, not counted there */
    double hook;                   /* inside the gradient hook */
};
struct gg_gpt_times gg_gpt_times(const gg_gpt *gpt);
void gg_gpt_times_reset(gg_gpt *gpt);

#endif
