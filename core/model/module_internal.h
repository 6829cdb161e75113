/* What a module is to the passes over a graph: it declares what it reads, keeps and makes, and has its
 * forward and backward pass. Fusion, recomputation and lifetimes use these declarations alone.
 */
#ifndef GG_CORE_MODEL_MODULE_INTERNAL_H
#define GG_CORE_MODEL_MODULE_INTERNAL_H

#include "core/kernels/dropout.h"
#include "core/kernels/storage.h"
#include "core/model/graph.h"
#include "core/model/model_types.h"
#include "core/model/token_scores.h"

/* What a pass over the steps is about. */
struct gg_pass {
    const struct gg_batch *batch;
    int64_t tokens;           /* sequences * time, of this rank */
    int64_t position;         /* of the first token of each sequence; above 0 only with a key-value cache */
    const int64_t *positions; /* (sequences) that of each, `position` being the largest; NULL: all the same */
    const int64_t
        *sequences; /* (sequences) whose cache each goes on with, by a token: a step of texts that are
                               * written; NULL: neighbours' */
    int64_t
        cached_sequence; /* the cache's that the first sequence goes on with, the others those behind it */
    bool dropout;
    bool train; /* a backward pass follows: the head makes its gradients too */
    float loss_scale;
    double loss_sum; /* [out] of all heads */
};

/* Where a module's tensors stand during one step; what it has no use for is NULL. */
struct gg_places {
    void *x[GG_MODULE_INPUTS], *y;
    void *saved;   /* from its forward to its backward pass */
    void *scratch; /* during the step */
    void *state;   /* all the model's life, zero at first: a key-value cache, rows on their way */
    void *d_x[GG_MODULE_INPUTS], *d_y;
};

/* One call of a module, forward or backward (step_list_internal.h). */
struct gg_step {
    const struct gg_module *module;
    void (*run)(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass);
    enum gg_kernel_kind kernel; /* what its time is booked under */
    struct gg_places at;
    bool add;           /* its input's gradient is added to; else it is assigned */
    bool remake_output; /* the output was not kept: this backward pass recomputes it */
    bool recompute;     /* a forward pass amid the backward pass */
    int fused;          /* so many steps from here on run row by row together; 1: this one alone */
    int64_t final_from; /* after it gradients at such offsets are final; for steps of the backward pass */
};
typedef void gg_step_run(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass);
typedef void gg_step_rows(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass,
                          int64_t start, int64_t count);

/* A part of a backward pass. */
enum {
    GG_READS_X = 1,
    GG_READS_FIRST_X = 2, /* of the inputs the first alone */
    GG_READS_Y = 4,
    GG_READS_SAVED = 8,
    GG_MAKES_INPUT_GRADIENT = 16,
    GG_MAKES_PARAMETER_GRADIENT = 32, /* of the module's own; left away where they are frozen */
};
struct gg_backward_piece {
    gg_step_run *run;
    enum gg_kernel_kind kernel;
    unsigned does; /* reads which values of the forward pass, makes what; it may always read d_y */
};

/* How a module makes the gradient of an input. */
enum gg_input_gradient {
    GG_GRADIENT_OWN,      /* assigns it, or adds to it; d_y is still there afterwards */
    GG_GRADIENT_IN_PLACE, /* assigns it, perhaps over d_y, which nobody reads afterwards */
    GG_GRADIENT_SAME,     /* it is d_y */
};

static inline bool gg_reads_input(unsigned does, int input) {
    return does & GG_READS_X || (does & GG_READS_FIRST_X && input == 0);
}

/* Bytes that a module wants beside its tensors; see struct gg_places. */
struct gg_needs {
    size_t saved, scratch, state;
};

struct gg_module_kind {
    enum gg_kernel_kind kernel;
    gg_step_run *forward;
    gg_step_rows *forward_rows; /* the forward pass of some rows, where rows are independent; or NULL */
    struct gg_backward_piece pieces[3]; /* in order, up to the first without run */
    bool adds_input_bias;               /* can add the bias of the map that made its input */
    bool finishes_input;                /* and writes that sum over its input */
    bool output_in_place;               /* its output may stand where its second input stood */
    bool output_always_in_place;        /* it does stand there: nobody else reads that input, then or later */
    bool remakes_output; /* its backward pass can recompute its output at no cost but the writing */
    bool rows_exchange;  /* rows are only independent where features are not split */
    bool times_itself;   /* books its own seconds */
    enum gg_input_gradient (*input_gradient)(const struct gg_graph *graph, const struct gg_module *module,
                                             int input);                 /* NULL: GG_GRADIENT_OWN */
    void (*prepare)(struct gg_model *model, const struct gg_step *step); /* fills its state once; or NULL */
    void (*needs)(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs); /* or NULL */
    bool (*leave_bias)(struct gg_module *module); /* leaves its bias to the reader of its output; or NULL */
    const struct gg_linear *(*linear)(const struct gg_module *module); /* a map's product; or NULL */
    double (*own_flops_per_token)(const struct gg_graph *graph, const struct gg_module *module); /* or NULL */
};

extern const struct gg_module_kind gg_embedding_kind, gg_stream_norm_kind, gg_linear_kind, gg_head_norm_kind,
    gg_rotary_kind, gg_attention_kind, gg_activation_kind, gg_swiglu_kind, gg_residual_kind, gg_head_kind,
    gg_adapter_down_kind, gg_adapter_up_kind;

/* Whether it is a head, whose entries are the classes of texts. */
bool gg_head_of_classes(const struct gg_module *module);

/* A head's entries, those of this rank with padding, and how many rows of them its scratch takes. */
struct gg_head_size {
    int64_t entries, local, rows;
};
struct gg_head_size gg_head_size_of(const struct gg_model *model, const struct gg_module *module);

/* A head's logits of rows [row, row + rows). logits (rows, entries with padding), whole. */
void gg_head_logits(struct gg_model *model, const struct gg_step *step, const struct gg_pass *pass,
                    int64_t row, int64_t rows, float *logits);

/* Scores of all tokens of a micro-batch, from the head's input. */
void gg_head_score(struct gg_model *model, const struct gg_step *step, const struct gg_batch *batch,
                   struct gg_token_scores *scores);

struct gg_model {
    const struct gg_graph *graph;
    const struct gg_fabric *fabric;
    enum gg_model_use use;
    int64_t local_sequences;
    const float *weights;
    gg_bf16 *rounded_weights; /* in bf16, the matmuls' and the embedding's operands; the same layout */
    float *gradients;
    struct gg_dropout dropout; /* threshold 0 where there is none */
    struct gg_dropout adapter_dropout;
    struct gg_step_list *steps;
    char *memory;
    struct gg_model_times times;
};

/* The position of a sequence's first token. */
static inline int64_t gg_pass_position(const struct gg_pass *pass, int64_t sequence) {
    return pass->positions != NULL ? pass->positions[sequence] : pass->position;
}

/* Whether a module has parameters that are trained: all of them, or none. */
bool gg_module_trained(const struct gg_graph *graph, const struct gg_module *module);

/* Whether a backward piece makes anything that is wanted. */
bool gg_piece_is_wanted(const struct gg_graph *graph, const struct gg_module *module, unsigned does);

/* Where a module's parameters, or an index into the table, stand; gradients of what is trained. */
const struct gg_parameter *gg_module_parameter(const struct gg_model *model, int index);
const float *gg_module_weights(const struct gg_model *model, int index);
float *gg_module_gradients(const struct gg_model *model, int index);
/* A matrix as matmuls take it: of the weights, or of their rounded copy. */
const void *gg_module_operand(const struct gg_model *model, int index);

/* y = x W of a forward pass with the parameter of that index: the one place that knows which products are those
 * of a few tokens (fabric.h), the steps in which texts are written. A prompt's are a training pass's. */
void gg_module_multiply(const struct gg_model *model, const struct gg_pass *pass,
                        const struct gg_linear *linear, int64_t rows, const void *x, int index, void *y);

/* This rank's features of a module's output; of an input. */
int64_t gg_module_width(const struct gg_model *model, const struct gg_module *module);
int64_t gg_module_input_width(const struct gg_model *model, const struct gg_module *module, int input);

/* An input gradient that is made in place of d_y. */
enum gg_input_gradient gg_module_gradient_in_place(const struct gg_graph *graph,
                                                   const struct gg_module *module, int input);

/* The bias that a module adds to its first input. */
const float *gg_module_input_bias(const struct gg_model *model, const struct gg_module *module);

/* The rows of dropout at a module's site, for features like its output's. */
struct gg_dropout_rows gg_module_dropout(const struct gg_model *model, const struct gg_module *module,
                                         const struct gg_pass *pass);

/* Rows that are worked on together: so few that they stay in cache from pass to pass. */
enum { GG_CACHED_ROWS = 16 };

#endif
