/* What a model is: the numbers that its architecture's page is read with.
 */
#ifndef GG_CORE_MODEL_CONFIG_H
#define GG_CORE_MODEL_CONFIG_H

#include "core/base/precision.h"
#include "core/base/status.h"
#include "core/model/compute_settings.h"
#include "core/model/fabric.h"
#include "core/model/model_settings.h"

#include <stdint.h>

struct gg_model_config {
    int64_t layers, heads, width, context;
    int64_t mlp_width;    /* features between the MLP's two maps */
    int64_t vocab;        /* the tokenizer's */
    int64_t padded_vocab; /* rows of the embedding in memory; ids from vocab on never win */
    double dropout;
    uint64_t seed; /* of dropout */
    enum gg_precision precision;
    enum gg_recompute recompute; /* training only; loss and gradients are the same, bit for bit */
};

/* The configuration that settings describe.
 *   seed   [in] of dropout (run.seed)
 *   vocab  [in] the tokenizer's; taken where model.vocab is 0
 *   shards [in] the padded vocabulary is a multiple of P and Q, which no file shows
 * GG_USAGE: model.vocab smaller than the tokenizer's. Local. */
gg_status gg_model_configure(const struct gg_model_settings *model, const struct gg_compute_settings *compute,
                             int64_t seed, int64_t vocab, const struct gg_shards *shards,
                             struct gg_model_config *config) GG_MUST_USE;

#endif
