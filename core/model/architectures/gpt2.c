/* GPT-2 (Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3): blocks of
 * attention and MLP that read the residual stream through a layer norm each (pre-norm) and add to it; learned
 * positions, GELU by tanh, and a head tied to the token embedding.
 *
 * Shapes: B sequences of T tokens; every tensor is (B T, features).
 */
#include "core/model/architectures/architectures.h"

#include <math.h>

/* Weights start from N(0, 0.02); the maps that end on the stream start smaller, by the root of how many there
 * are, so that the stream's variance does not grow with depth. */
static const double deviation = 0.02;

static double residual_deviation(const struct gg_model_config *config) {
    return deviation / sqrt(2.0 * (double)config->layers);
}

/* x + c_proj(attention(c_attn(ln_1(x)))) */
static int attention_part(struct gg_builder *b, int x) {
    const struct gg_model_config *config = gg_build_config(b);
    gg_build_attention_begin(b);
    int h = gg_build_layer_norm(b, "ln_1", x);                                 /* (B T, C) */
    h = gg_build_linear(b, "attn.c_attn", h, 3 * config->width, 3, deviation); /* q, k, v */
    h = gg_build_attention(b, h, config->heads);                               /* (B T, C) */
    h = gg_build_linear(b, "attn.c_proj", h, config->width, 1, residual_deviation(config));
    x = gg_build_residual(b, x, h);
    gg_build_attention_end(b);
    return x;
}

/* x + c_proj(gelu(c_fc(ln_2(x)))) */
static int mlp_part(struct gg_builder *b, int x) {
    const struct gg_model_config *config = gg_build_config(b);
    int h = gg_build_layer_norm(b, "ln_2", x);
    h = gg_build_linear(b, "mlp.c_fc", h, config->mlp_width, 1, deviation); /* (B T, 4 C) by default */
    h = gg_build_gelu(b, h);
    h = gg_build_linear(b, "mlp.c_proj", h, config->width, 1, residual_deviation(config));
    return gg_build_residual(b, x, h);
}

void gg_architecture_gpt2(struct gg_builder *b) {
    const struct gg_model_config *config = gg_build_config(b);
    gg_build_enter(b, "transformer.");
    int x = gg_build_embedding(b, "wte.weight", "wpe.weight");
    for (int64_t layer = 0; layer < config->layers; layer++) {
        gg_build_enter(b, "h.%lld.", (long long)layer);
        gg_build_block_begin(b);
        x = attention_part(b, x);
        x = mlp_part(b, x);
        gg_build_block_end(b);
        gg_build_leave(b);
    }
    x = gg_build_layer_norm(b, "ln_f", x);
    gg_build_tied_head(b, "wte.weight", x); /* logits (B T, V), loss */
    gg_build_leave(b);
}
