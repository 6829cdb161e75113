/* A model as a value: its modules in the order of the forward pass, the tensors between them, and its
 * parameters. An architecture's page is gone over once to make it (builder.h); everything else that is known
 * about the model follows from it: the parameter table, matmul shapes, FLOPs, the steps of both passes
 * (step_list_internal.h), memory (lifetimes_internal.h). It holds no memory for values, and may be made for
 * any rank of any grid.
 */
#ifndef GG_CORE_MODEL_GRAPH_H
#define GG_CORE_MODEL_GRAPH_H

#include "core/model/config.h"
#include "core/model/fabric.h"
#include "core/model/parameters.h"

#include <stdbool.h>
#include <stdint.h>

/* An activation: (tokens, features) row-major, in the model's precision; features are split over P. */
struct gg_tensor {
    int64_t features, local_features; /* whole, and this rank's */
    int64_t block;                    /* features are dealt out over P in turns, in blocks of so many */
    int producer;                     /* index of the module that makes it */
    int readers;                      /* modules that read it */
    bool wants_gradient;              /* something that is trained stands before it */
};

enum { GG_MODULE_INPUTS = 3, GG_MODULE_PARAMETERS = 2 };

/* What all modules have in common; each kind's own struct begins with it (modules/). */
struct gg_module {
    const struct gg_module_kind *kind;
    int inputs[GG_MODULE_INPUTS]; /* tensors */
    int input_count;
    int output;                           /* tensor; -1: none (a head) */
    int parameters[GG_MODULE_PARAMETERS]; /* indices into the table; -1: none */
    int input_bias; /* parameter that this module adds to its first input as it reads it; -1: none */
    int state_of;   /* index of the module whose state it uses: its own, or one that it shares */
    int block;      /* index of the block it stands in; -1: outside */
    bool attention; /* in the block's attention part */
    uint32_t site;  /* of its dropout */
};

struct gg_graph {
    struct gg_model_config config;
    struct gg_shards shards;
    struct gg_parameter_table table; /* offsets assigned */
    struct gg_tensor *tensors;
    int tensor_count;
    struct gg_module **modules; /* those that end it, which have no output, are the last */
    int module_count, module_capacity;
    int block_count;
};

/* Goes over the configured architecture's page. The shards must fit the model (core/plan/legality.h). Local.
 *   graph [out] free with gg_graph_free */
void gg_graph_make(const struct gg_model_config *config, const struct gg_shards *shards,
                   struct gg_graph *graph);
void gg_graph_free(struct gg_graph *graph);

#endif
