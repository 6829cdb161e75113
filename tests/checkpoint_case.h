/* A small model's tables on any grid, and what a checkpoint of it holds; shared by the checkpoint tests. */
#ifndef GG_TESTS_CHECKPOINT_CASE_H
#define GG_TESTS_CHECKPOINT_CASE_H

#include "tests/check.h"

#include "core/base/memory.h"
#include "core/model/graph.h"
#include "io/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>

enum { CASE_WEIGHTS = 11, CASE_MOMENT1 = 12, CASE_MOMENT2 = 13 }; /* seeds of the three sets of values */

struct checkpoint_case {
    struct gg_graph graph;
    float *values[3]; /* weights, moments */
};

static inline float *case_buffer(const struct gg_parameter_table *table) {
    return gg_calloc((size_t)table->local_elements, sizeof(float));
}

/* The part (p, q) of a P x Q grid, with values that are pure functions of tensor and element. */
static inline void case_create(struct checkpoint_case *c, int feature_shards, int token_shards,
                               int feature_index, int token_index) {
    const struct gg_model_config config = {.layers = 2,
                                           .heads = 12,
                                           .kv_heads = 12,
                                           .head_size = 4,
                                           .norm_eps = 1e-5,
                                           .tied = true,
                                           .biases = true,
                                           .width = 48,
                                           .mlp_width = 192,
                                           .context = 10,
                                           .vocab = 187,
                                           .padded_vocab = 192};
    const struct gg_shards shards = {feature_shards, feature_index, token_shards, token_index};
    gg_graph_make(&config, &shards, &c->graph);
    for (int i = 0; i < 3; i++) {
        c->values[i] = case_buffer(&c->graph.table);
        gg_parameters_initialise(&c->graph.table, (uint64_t)(CASE_WEIGHTS + i), c->values[i]);
    }
}

static inline void case_free(struct checkpoint_case *c) {
    for (int i = 0; i < 3; i++)
        free(c->values[i]);
    gg_graph_free(&c->graph);
}

/* The texts are not the caller's to free. */
static inline struct gg_checkpoint_meta case_meta(void) {
    static char settings[] = "model.layers: 2\n", tokenizer[] = "{\"model\": {}}";
    return (struct gg_checkpoint_meta){.step = 120,
                                       .updates = 119,
                                       .bad_steps = 1,
                                       .consumed_samples = 3840,
                                       .consumed_tokens = 983040,
                                       .run_seed = 1,
                                       .data_seed = 2,
                                       .vocab = 187,
                                       .data_fingerprint = 0xfedcba9876543210u,
                                       .tokenizer_fingerprint = 0x8000000000000001u,
                                       .train_loss = 3.25,
                                       .val_loss = NAN,
                                       .train_seconds = 12.5,
                                       .settings_yaml = settings,
                                       .tokenizer_json = tokenizer,
                                       .tokenizer_bytes = sizeof tokenizer - 1};
}

#endif
