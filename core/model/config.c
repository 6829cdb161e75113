#include "core/model/config.h"

/* The least multiple of 64, P and Q that is not below so many entries of a head. */
static int64_t pad_entries(int64_t entries, const struct gg_shards *shards) {
    int64_t multiple = 64;
    while (multiple % shards->feature_shards != 0 || multiple % shards->token_shards != 0)
        multiple += 64;
    return (entries + multiple - 1) / multiple * multiple;
}

gg_status gg_model_configure(const struct gg_model_settings *model, const struct gg_compute_settings *compute,
                             int64_t seed, int64_t vocab, const struct gg_shards *shards,
                             struct gg_model_config *config) {
    if (model->vocab != 0 && model->vocab < vocab)
        return gg_fail(GG_USAGE,
                       "model.vocab %lld is smaller than the tokenizer's %lld entries; raise it, or set 0",
                       (long long)model->vocab, (long long)vocab);
    const int64_t entries = model->vocab != 0 ? model->vocab : vocab;
    const struct gg_model_settings filled = gg_model_settings_filled(model);
    *config = (struct gg_model_config){
        .layers = filled.layers,
        .heads = filled.heads,
        .width = filled.width,
        .context = filled.context,
        .kv_heads = filled.kv_heads,
        .head_size = filled.head_size,
        .mlp_width = filled.mlp_width,
        .vocab = entries,
        .padded_vocab = pad_entries(entries, shards),
        .classes = (int64_t)filled.labels.count,
        .padded_classes = pad_entries((int64_t)filled.labels.count, shards),
        .classes_only = filled.labels.count > 0 && filled.lm_weight == 0,
        .norm = (enum gg_norm_kind)filled.norm,
        .norm_place = (enum gg_norm_place)filled.norm_place,
        .norm_eps = filled.norm_eps,
        .activation = filled.activation,
        .positions = (enum gg_positions)filled.positions,
        .rope_theta = filled.rope_theta,
        .attention = (enum gg_attention_reach)filled.attention,
        .window = filled.window,
        .qk_norm = filled.qk_norm,
        .tied = filled.tied,
        .biases = filled.biases,
        .dropout = filled.dropout,
        .seed = (uint64_t)seed,
        .precision = (enum gg_precision)compute->precision,
        .recompute = (enum gg_recompute)compute->recompute,
    };
    return GG_OK;
}
