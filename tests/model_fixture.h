/* A tiny model for tests: configuration, table, buffers, random tokens. */
#ifndef GG_TESTS_MODEL_FIXTURE_H
#define GG_TESTS_MODEL_FIXTURE_H

#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/model/model.h"

#include <stdlib.h>
#include <string.h>

struct model_fixture {
    struct gg_fabric fabric;
    struct gg_graph graph;
    float *weights, *gradients;
    int64_t sequences;
    int32_t *inputs, *targets;
    uint64_t *sample_ids;
    gg_model *gpt;
};

/* A configuration that tells no norm's epsilon is a GPT-2's in all that it leaves out. */
static inline struct gg_model_config fixture_config(struct gg_model_config config) {
    if (config.norm_eps == 0) {
        config.norm_eps = 1e-5;
        config.kv_heads = config.heads;
        config.head_size = config.width / config.heads;
        config.tied = config.biases = true;
    }
    if (config.mlp_width == 0)
        config.mlp_width = 4 * config.width;
    return config;
}

static inline void fixture_graph(struct gg_model_config config, const struct gg_shards *shards,
                                 struct gg_graph *graph) {
    config = fixture_config(config);
    gg_graph_make(&config, shards, graph);
}

static inline struct gg_batch model_fixture_batch(const struct model_fixture *f) {
    return (struct gg_batch){.sequences = f->sequences,
                             .time = f->graph.config.context,
                             .inputs = f->inputs,
                             .targets = f->targets,
                             .sample_ids = f->sample_ids};
}

/* Weights of deviation 0.2 so that every part matters; random tokens. */
static inline void model_fixture_make(struct model_fixture *f, struct gg_model_config config,
                                      enum gg_model_use use, int64_t sequences) {
    *f = (struct model_fixture){.fabric = gg_fabric_local(), .sequences = sequences};
    fixture_graph(config, &f->fabric.shards, &f->graph);
    f->weights = gg_calloc((size_t)f->graph.table.local_elements, sizeof(float));
    f->gradients = gg_calloc((size_t)f->graph.table.local_elements, sizeof(float));
    gg_parameters_initialise(&f->graph.table, 1, f->weights);
    for (int64_t i = 0; i < f->graph.table.local_elements; i++)
        f->weights[i] += 0.2f * (float)gg_random_normal(3, 0, (uint64_t)i);
    const int64_t tokens = sequences * config.context;
    f->inputs = gg_calloc((size_t)tokens, sizeof(int32_t));
    f->targets = gg_calloc((size_t)tokens, sizeof(int32_t));
    f->sample_ids = gg_calloc((size_t)sequences, sizeof(uint64_t));
    for (int64_t i = 0; i < tokens; i++) {
        f->inputs[i] = (int32_t)(gg_random_bits(4, 0, (uint64_t)i) % (uint64_t)config.vocab);
        f->targets[i] = (int32_t)(gg_random_bits(4, 1, (uint64_t)i) % (uint64_t)config.vocab);
    }
    for (int64_t i = 0; i < sequences; i++)
        f->sample_ids[i] = 1000 + (uint64_t)i;
    CHECK_OK(gg_model_create(&f->graph, &f->fabric, use, sequences, f->weights,
                             use == GG_MODEL_TRAIN ? f->gradients : NULL, &f->gpt));
}

static inline void model_fixture_free(struct model_fixture *f) {
    gg_model_destroy(&f->gpt);
    gg_graph_free(&f->graph);
    free(f->weights);
    free(f->gradients);
    free(f->inputs);
    free(f->targets);
    free(f->sample_ids);
}

/* What a backward pass says of final gradients, as it goes: a context for watch_final(). */
struct watch {
    const struct model_fixture *fixture;
    float *seen; /* gradients when they were said to be final */
    int64_t from;
    int calls;
};

static inline void watch_final(void *context, int64_t from) {
    struct watch *watch = context;
    assert_true(from <= watch->from);
    memcpy(watch->seen + from, watch->fixture->gradients + from,
           (size_t)(watch->from - from) * sizeof(float));
    watch->from = from;
    watch->calls++;
}

#endif
