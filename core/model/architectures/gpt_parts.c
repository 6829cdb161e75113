/* The two parts of a GPT block: attention and MLP. Shapes: B sequences of T tokens; tensors are (B T, features). */
#include "core/model/architectures/architectures.h"

#include <math.h>

const double gg_initial_deviation = 0.02;

double gg_residual_deviation(const struct gg_model_config *config) {
    return gg_initial_deviation / sqrt(2.0 * (double)config->layers);
}

/* c_proj(attention(c_attn(h))) */
int gg_gpt_attention(struct gg_builder *b, int h, int64_t layer, double deviation) {
    const struct gg_model_config *config = gg_build_config(b);
    const int64_t features = config->heads * config->head_size;
    h = gg_build_linear(b, "attn.c_attn", h, 3 * features, 3, gg_initial_deviation); /* q, k, v */
    h = gg_build_fused_attention(b, h, layer);                                       /* (B T, features) */
    return gg_build_linear(b, "attn.c_proj", h, config->width, 1, deviation);
}

/* c_proj(gelu(c_fc(h))) */
int gg_gpt_mlp(struct gg_builder *b, int h, double deviation) {
    const struct gg_model_config *config = gg_build_config(b);
    h = gg_build_linear(b, "mlp.c_fc", h, config->mlp_width, 1, gg_initial_deviation); /* 4 C by default */
    h = gg_build_activation(b, h);
    return gg_build_linear(b, "mlp.c_proj", h, config->width, 1, deviation);
}
