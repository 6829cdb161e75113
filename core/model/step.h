/* The steps a model is made of: each knows its forward and its backward pass. Inside core/model only.
 */
#ifndef GG_CORE_MODEL_STEP_H
#define GG_CORE_MODEL_STEP_H

#include "core/base/arena.h"
#include "core/kernels/dropout.h"
#include "core/kernels/storage.h"
#include "core/model/gpt.h"

/* What a pass over the steps is about. */
struct gg_pass {
    const struct gg_batch *batch;
    int64_t tokens;   /* sequences * time, of this rank */
    int64_t position; /* of the first token of each sequence; above 0 only with a key-value cache */
    bool dropout;
    float loss_scale;
    double loss_sum; /* [out] */
};

struct gg_step;

typedef void gg_step_pass(struct gg_gpt *gpt, const struct gg_step *step, struct gg_pass *pass);

/* A forward pass may be run again, with the same bits: it only overwrites the step's output. (Attention also
 * finishes its input; the linear step before it makes that anew.) */
struct gg_step_kind {
    enum gg_kernel_kind kernel; /* what its time is booked under */
    gg_step_pass *forward, *backward;
    gg_step_pass *forward_joined; /* residual: with the norm that follows in one pass over memory */
};

/* One step: where its tensors are. Unused members are NULL or -1. Activations are (tokens, features), in the
 * model's precision. */
struct gg_step {
    const struct gg_step_kind *kind;
    struct gg_linear linear; /* linear, head */
    int64_t weight, bias;    /* offsets into the flat buffers */
    int64_t final_from;      /* after its backward pass, gradients at such offsets are final */
    int again_from;       /* before its backward pass, steps from there up to it run forward again; or -1 */
    bool remakes_y;       /* gelu: y was not kept; its own backward pass makes it again */
    uint32_t site;        /* of dropout */
    int64_t width;        /* this rank's features of the output */
    void *x;              /* input */
    void *y;              /* output */
    const void *residual; /* residual: the stream that the branch x is added to */
    float *stats;         /* norm: (tokens, 2); attention: log-sums (sequences, heads, time) */
    void *cache;          /* attention: keys and values so far, (sequences, context, 2 width) */
    void *d_x, *d_y;      /* gradients of x and y; see each kind */
};

struct gg_gpt {
    struct gg_gpt_config config;
    const struct gg_fabric *fabric;
    const struct gg_parameter_table *table;
    enum gg_gpt_use use;
    int64_t local_sequences;
    const float *weights;
    gg_bf16 *rounded_weights; /* in bf16, the matmuls' and the embedding's operands; the same layout */
    float *gradients;
    struct gg_dropout dropout; /* threshold 0 where there is none */

    struct gg_step *steps; /* embedding, blocks, final norm */
    int step_count;
    struct gg_step head;

    struct gg_arena arena;
    void *scratch;         /* rows per thread, attention blocks: whichever is largest */
    int32_t *position_ids; /* token shards: 0, 1, ... context - 1 */
    float *position_rows;  /* token shards: (context, local width), positions on their way */
    float *token_sums;     /* (tokens, 4) */
    float *logits; /* (head_tokens, local vocabulary); then their gradients, in the model's precision */
    int64_t head_tokens;
    void *d_stream; /* gradient of the residual stream */
    struct gg_gpt_times times;
};

extern const struct gg_step_kind gg_step_embedding, gg_step_norm, gg_step_linear, gg_step_linear_input,
    gg_step_linear_weight, gg_step_attention, gg_step_gelu, gg_step_residual;

/* The head: logits, loss and, in training, the gradients of both its operands, for a few rows at a time so
 * that the whole micro-batch's logits never exist (head.c). train [in] adds to the embedding's gradient and
 * overwrites d_x */
void gg_head_loss(struct gg_gpt *gpt, struct gg_pass *pass, bool train);

/* Lays out all tensors on the arena and writes the list of steps (gpt_layout.c); runs twice, first to
 * measure. gpt->steps has room for gg_gpt_most_steps. */
void gg_gpt_lay_out(struct gg_gpt *gpt);
int gg_gpt_most_steps(const struct gg_gpt_config *config);

/* A matrix as matmuls take it: of the weights, or of their rounded copy. */
const void *gg_operand_weights(const struct gg_gpt *gpt, int64_t offset);

/* Bytes of scratch that the steps need. */
size_t gg_step_scratch_bytes(const struct gg_gpt_config *config, const struct gg_fabric *fabric);

#endif
