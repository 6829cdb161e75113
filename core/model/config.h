/* What a model is: the numbers that its architecture's page is read with.
 */
#ifndef GG_CORE_MODEL_CONFIG_H
#define GG_CORE_MODEL_CONFIG_H

#include "core/base/precision.h"
#include "core/base/status.h"
#include "core/model/compute_settings.h"
#include "core/model/fabric.h"
#include "core/model/lora_settings.h"
#include "core/model/model_settings.h"

#include <stdbool.h>
#include <stdint.h>

struct gg_model_config {
    int64_t layers, heads, width, context;
    int64_t kv_heads;     /* heads of keys and values; each serves heads / kv_heads heads of queries */
    int64_t head_size;    /* features of a head */
    int64_t mlp_width;    /* features between the MLP's maps */
    int64_t vocab;        /* the tokenizer's */
    int64_t padded_vocab; /* rows of the embedding in memory; ids from vocab on never win */
    int64_t classes;      /* of the head that tells a text's class by its last token; 0: there is none */
    int64_t padded_classes;
    bool classes_only; /* there is no head over the vocabulary */
    enum gg_norm_kind norm;
    enum gg_norm_place norm_place;
    double norm_eps;
    int activation; /* enum gg_activation, or GG_ACTIVATION_SWIGLU */
    enum gg_positions positions;
    double rope_theta;
    enum gg_attention_reach attention;
    int64_t window; /* keys that a query of a banded layer sees */
    bool qk_norm, tied, biases;
    double dropout;
    uint64_t seed;                /* of dropout */
    struct gg_lora_settings lora; /* its targets are the settings', and read while the graph is made */
    enum gg_precision precision;
    enum gg_recompute recompute; /* training only; loss and gradients are the same, bit for bit */
};

/* The configuration that settings describe, without adapters: whoever trains them sets config->lora.
 *   seed   [in] of dropout (run.seed)
 *   vocab  [in] the tokenizer's; taken where model.vocab is 0
 *   shards [in] the padded vocabulary is a multiple of P and Q, which no file shows
 * GG_USAGE: model.vocab smaller than the tokenizer's. Local. */
gg_status gg_model_configure(const struct gg_model_settings *model, const struct gg_compute_settings *compute,
                             int64_t seed, int64_t vocab, const struct gg_shards *shards,
                             struct gg_model_config *config) GG_MUST_USE;

#endif
