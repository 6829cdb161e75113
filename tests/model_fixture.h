/* A tiny model for tests: configuration, table, buffers, random tokens. */
#ifndef GG_TESTS_MODEL_FIXTURE_H
#define GG_TESTS_MODEL_FIXTURE_H

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/model/gpt.h"

#include <stdlib.h>
#include <string.h>

struct model_fixture {
    struct gg_gpt_config config;
    struct gg_fabric fabric;
    struct gg_parameter_table table;
    float *weights, *gradients;
    int64_t sequences;
    int32_t *inputs, *targets;
    uint64_t *sample_ids;
    gg_gpt *gpt;
};

static inline struct gg_batch model_fixture_batch(const struct model_fixture *f) {
    return (struct gg_batch){.sequences = f->sequences,
                             .time = f->config.context,
                             .inputs = f->inputs,
                             .targets = f->targets,
                             .sample_ids = f->sample_ids};
}

/* Weights of deviation 0.2 so that every part matters; random tokens. */
static inline void model_fixture_make(struct model_fixture *f, struct gg_gpt_config config,
                                      enum gg_gpt_use use, int64_t sequences) {
    *f = (struct model_fixture){.config = config, .fabric = gg_fabric_local(), .sequences = sequences};
    CHECK_OK(gg_gpt_parameters(&config, &f->fabric, &f->table));
    f->weights = gg_calloc((size_t)f->table.local_elements, sizeof(float));
    f->gradients = gg_calloc((size_t)f->table.local_elements, sizeof(float));
    gg_parameters_initialise(&f->table, 1, f->weights);
    for (int64_t i = 0; i < f->table.local_elements; i++)
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
    CHECK_OK(gg_gpt_create(&f->config, &f->fabric, &f->table, use, sequences, f->weights,
                           use == GG_GPT_TRAIN ? f->gradients : NULL, &f->gpt));
}

static inline void model_fixture_free(struct model_fixture *f) {
    gg_gpt_destroy(&f->gpt);
    gg_parameter_table_free(&f->table);
    free(f->weights);
    free(f->gradients);
    free(f->inputs);
    free(f->targets);
    free(f->sample_ids);
}

#endif
