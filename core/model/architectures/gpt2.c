/* GPT-2 (Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3): blocks of
 * attention and MLP that read the residual stream through a norm each (pre-norm) and add to it, a norm at the end,
 * and the head. GPT-3 (Brown et al. 2020, section 2.1) is the same with model.attention alternating.
 *
 * Shapes: B sequences of T tokens; every tensor is (B T, features).
 */
#include "core/model/architectures/architectures.h"

/* x + c_proj(attention(c_attn(ln_1(x)))) */
static int attention_part(struct gg_builder *b, int x, int64_t layer) {
    gg_build_attention_begin(b);
    int h = gg_build_norm(b, "ln_1", x);
    h = gg_gpt_attention(b, h, layer, gg_residual_deviation(gg_build_config(b)));
    x = gg_build_residual(b, x, h);
    gg_build_attention_end(b);
    return x;
}

/* x + c_proj(gelu(c_fc(ln_2(x)))) */
static int mlp_part(struct gg_builder *b, int x) {
    int h = gg_build_norm(b, "ln_2", x);
    h = gg_gpt_mlp(b, h, gg_residual_deviation(gg_build_config(b)));
    return gg_build_residual(b, x, h);
}

void gg_architecture_gpt2(struct gg_builder *b) {
    const struct gg_model_config *config = gg_build_config(b);
    gg_build_enter(b, "transformer.");
    int x = gg_build_embedding(b, "wte.weight", "wpe.weight");
    for (int64_t layer = 0; layer < config->layers; layer++) {
        gg_build_enter(b, "h.%lld.", (long long)layer);
        gg_build_block_begin(b);
        x = attention_part(b, x, layer);
        x = mlp_part(b, x);
        gg_build_block_end(b);
        gg_build_leave(b);
    }
    x = gg_build_norm(b, "ln_f", x);
    gg_build_leave(b);
    gg_build_head(b, "transformer.wte.weight", x); /* logits (B T, V), loss */
}
