/* GPT-1 (Radford et al. 2018, "Improving language understanding by generative pre-training", section 4.1): the
 * decoder of Vaswani et al. 2017, whose blocks norm each sum of the residual stream and a part (post-norm); no norm
 * is left for the end.
 *
 * Shapes: B sequences of T tokens; every tensor is (B T, features).
 */
#include "core/model/architectures/architectures.h"

/* ln_1(x + c_proj(attention(c_attn(x)))) */
static int attention_part(struct gg_builder *b, int x, int64_t layer) {
    gg_build_attention_begin(b);
    const int h = gg_gpt_attention(b, x, layer, gg_initial_deviation);
    x = gg_build_norm(b, "ln_1", gg_build_residual(b, x, h));
    gg_build_attention_end(b);
    return x;
}

/* ln_2(x + c_proj(gelu(c_fc(x)))) */
static int mlp_part(struct gg_builder *b, int x) {
    const int h = gg_gpt_mlp(b, x, gg_initial_deviation);
    return gg_build_norm(b, "ln_2", gg_build_residual(b, x, h));
}

void gg_architecture_gpt1(struct gg_builder *b) {
    const struct gg_model_config *config = gg_build_config(b);
    gg_build_enter(b, "transformer.");
    int x = gg_build_embedding(b, "tokens_embed.weight", "positions_embed.weight");
    for (int64_t layer = 0; layer < config->layers; layer++) {
        gg_build_enter(b, "h.%lld.", (long long)layer);
        gg_build_block_begin(b);
        x = attention_part(b, x, layer);
        x = mlp_part(b, x);
        gg_build_block_end(b);
        gg_build_leave(b);
    }
    gg_build_leave(b);
    gg_build_head(b, "transformer.tokens_embed.weight", x); /* logits (B T, V), loss */
}
