/* Llama (Touvron et al. 2023, "LLaMA: open and efficient foundation language models", section 2.2) and what
 * followed: queries, keys and values by maps of their own, so that fewer heads of keys and values may serve groups
 * of queries' heads (Ainslie et al. 2023), queries and keys may be normed (Qwen3) and turned by their positions, and
 * an MLP with a gate. Norms stand before the parts, or behind their sums where model.norm_place has it so.
 *
 * Shapes: B sequences of T tokens; every tensor is (B T, features).
 */
#include "core/model/architectures/architectures.h"

/* Queries or keys: (B T, heads x head size). */
static int query_or_key(struct gg_builder *b, const char *map, const char *norm, int h, int64_t heads) {
    const struct gg_model_config *config = gg_build_config(b);
    h = gg_build_linear(b, map, h, heads * config->head_size, 1, gg_initial_deviation);
    if (config->qk_norm)
        h = gg_build_head_norm(b, norm, h);
    return config->positions == GG_POSITIONS_ROTARY ? gg_build_rotary(b, h) : h;
}

/* o_proj(attention(q_proj(h), k_proj(h), v_proj(h))) */
static int attention(struct gg_builder *b, int h, int64_t layer) {
    const struct gg_model_config *config = gg_build_config(b);
    gg_build_enter(b, "self_attn.");
    const int q = query_or_key(b, "q_proj", "q_norm", h, config->heads);
    const int k = query_or_key(b, "k_proj", "k_norm", h, config->kv_heads);
    const int v =
        gg_build_linear(b, "v_proj", h, config->kv_heads * config->head_size, 1, gg_initial_deviation);
    h = gg_build_attention(b, q, k, v, layer);
    h = gg_build_linear(b, "o_proj", h, config->width, 1, gg_residual_deviation(config));
    gg_build_leave(b);
    return h;
}

/* down_proj(silu(gate_proj(h)) up_proj(h)), or down_proj(f(up_proj(h))) */
static int mlp(struct gg_builder *b, int h) {
    const struct gg_model_config *config = gg_build_config(b);
    const int64_t inside = config->mlp_width;
    gg_build_enter(b, "mlp.");
    if (config->activation == GG_ACTIVATION_SWIGLU) {
        const int gate = gg_build_linear(b, "gate_proj", h, inside, 1, gg_initial_deviation);
        const int up = gg_build_linear(b, "up_proj", h, inside, 1, gg_initial_deviation);
        h = gg_build_swiglu(b, gate, up);
    } else {
        h = gg_build_activation(b, gg_build_linear(b, "up_proj", h, inside, 1, gg_initial_deviation));
    }
    h = gg_build_linear(b, "down_proj", h, config->width, 1, gg_residual_deviation(config));
    gg_build_leave(b);
    return h;
}

static int block(struct gg_builder *b, int x, int64_t layer) {
    const bool pre = gg_build_config(b)->norm_place == GG_NORM_PRE;
    const char *const first = "input_layernorm", *const second = "post_attention_layernorm";
    gg_build_attention_begin(b);
    x = gg_build_residual(b, x, attention(b, pre ? gg_build_norm(b, first, x) : x, layer));
    if (!pre)
        x = gg_build_norm(b, first, x);
    gg_build_attention_end(b);
    x = gg_build_residual(b, x, mlp(b, pre ? gg_build_norm(b, second, x) : x));
    return pre ? x : gg_build_norm(b, second, x);
}

void gg_architecture_llama(struct gg_builder *b) {
    const struct gg_model_config *config = gg_build_config(b);
    gg_build_enter(b, "model.");
    int x = gg_build_embedding(b, "embed_tokens.weight", "embed_positions.weight");
    for (int64_t layer = 0; layer < config->layers; layer++) {
        gg_build_enter(b, "layers.%lld.", (long long)layer);
        gg_build_block_begin(b);
        x = block(b, x, layer);
        gg_build_block_end(b);
        gg_build_leave(b);
    }
    if (config->norm_place == GG_NORM_PRE)
        x = gg_build_norm(b, "norm", x);
    gg_build_leave(b);
    gg_build_head(b, "model.embed_tokens.weight", x); /* logits (B T, V), loss */
}
