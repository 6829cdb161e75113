#include "core/model/config.h"

/* The least multiple of 64, P and Q that is not below `vocab`. */
static int64_t pad_vocab(int64_t vocab, const struct gg_shards *shards) {
    int64_t multiple = 64;
    while (multiple % shards->feature_shards != 0 || multiple % shards->token_shards != 0)
        multiple += 64;
    return (vocab + multiple - 1) / multiple * multiple;
}

int64_t gg_model_mlp_width(const struct gg_settings *settings) {
    return settings->model.mlp_width > 0 ? settings->model.mlp_width : 4 * settings->model.width;
}

gg_status gg_model_configure(const struct gg_settings *settings, int64_t vocab,
                             const struct gg_shards *shards, struct gg_model_config *config) {
    if (settings->model.vocab != 0 && settings->model.vocab < vocab)
        return gg_fail(GG_USAGE,
                       "model.vocab %lld is smaller than the tokenizer's %lld entries; raise it, or set 0",
                       (long long)settings->model.vocab, (long long)vocab);
    const int64_t entries = settings->model.vocab != 0 ? settings->model.vocab : vocab;
    *config = (struct gg_model_config){
        .layers = settings->model.layers,
        .heads = settings->model.heads,
        .width = settings->model.width,
        .context = settings->model.context,
        .mlp_width = gg_model_mlp_width(settings),
        .vocab = entries,
        .padded_vocab = pad_vocab(entries, shards),
        .dropout = settings->model.dropout,
        .seed = (uint64_t)settings->run.seed,
        .precision = (enum gg_precision)settings->compute.precision,
        .recompute = (enum gg_recompute)settings->compute.recompute,
    };
    return GG_OK;
}
