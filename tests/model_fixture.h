/* A tiny model for tests: configuration, table, buffers, random tokens. */
#ifndef GG_TESTS_MODEL_FIXTURE_H
#define GG_TESTS_MODEL_FIXTURE_H

#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/model/model.h"

#include <malloc.h>
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

/* Has malloc give memory of NaNs, for whoever reads what nobody wrote. */
static inline void malloc_gives_nans(void) {
    mallopt(M_PERTURB, 0x100); /* bytes are this, inverted: 0xff */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
}

/* Weights of deviation 0.2 so that every part matters; random tokens. */
static inline void model_fixture_make(struct model_fixture *f, struct gg_model_config config,
                                      enum gg_model_use use, int64_t sequences) {
    malloc_gives_nans();
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

static inline double fixture_cross_entropy(const float *logits, int64_t vocab, int32_t target) {
    double sum = 1; /* of exponentials relative to the target's */
    for (int64_t v = 0; v < vocab; v++)
        sum += v != target ? exp((double)logits[v] - (double)logits[target]) : 0;
    return log(sum);
}

/* Logits by the cache, token by token or in pieces of any length, give the loss of the whole pass.
 *   loss, last [in] how far the loss may be off, of itself, and the logits of a piece's last token */
static inline void model_fixture_check_cache(struct gg_model_config config, double loss, double last) {
    struct model_fixture f, whole;
    model_fixture_make(&f, config, GG_MODEL_GENERATE, 1);
    model_fixture_make(&whole, config, GG_MODEL_EVALUATE, 1);
    const struct gg_batch batch = model_fixture_batch(&whole);
    const int64_t width = config.padded_vocab;
    double expected, got = 0;
    gg_model_evaluate(whole.gpt, &batch, &expected);
    float *logits = gg_calloc((size_t)(config.context * width), sizeof *logits),
          *of_piece = gg_calloc((size_t)width, sizeof *of_piece);
    for (int64_t t = 0; t < config.context; t++) {
        gg_model_logits(f.gpt, f.inputs + t, 1, t, logits + t * width);
        got += fixture_cross_entropy(logits + t * width, config.vocab, f.targets[t]);
    }
    if (!(fabs(got - expected) <= loss * expected))
        fail_msg("loss by the cache %.9g, of the whole pass %.9g", got, expected);
    for (int64_t piece = 2; piece <= config.context; piece += 1 + piece / 5)
        for (int64_t from = 0; from < config.context; from += piece) {
            const int64_t count = piece < config.context - from ? piece : config.context - from;
            gg_model_logits(f.gpt, f.inputs + from, count, from, of_piece);
            check_close("logits", of_piece, logits + (from + count - 1) * width, config.vocab, last);
        }
    free(logits);
    free(of_piece);
    model_fixture_free(&f);
    model_fixture_free(&whole);
}

/* What a backward pass says of final gradients, as it goes. */
struct watch {
    const struct model_fixture *fixture;
    float *seen; /* gradients when they were said to be final; until then NaN */
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

/* Trains on a batch, from gradients of zero: what the hook calls final is final, and everything is at last.
 * Returns the hook's calls. */
static inline int model_fixture_train_watched(const struct model_fixture *f, const struct gg_batch *batch,
                                              double *loss) {
    const int64_t elements = f->graph.table.trained_elements;
    const size_t bytes = (size_t)elements * sizeof(float);
    struct watch watch = {f, gg_malloc(bytes), elements, 0};
    const struct gg_gradient_hook hook = {watch_final, &watch};
    memset(watch.seen, 0xff, bytes);
    memset(f->gradients, 0, bytes);
    gg_model_train(f->gpt, batch, 1, &hook, loss);
    assert_int_equal(watch.from, 0);
    assert_memory_equal(watch.seen, f->gradients, bytes);
    free(watch.seen);
    return watch.calls;
}

#endif
