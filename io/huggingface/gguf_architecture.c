#include "io/huggingface/gguf_architecture.h"

#include <stdio.h>
#include <string.h>

/* One condition of a graph, and what to say where it does not hold. */
struct condition {
    bool holds;
    const char *setting, *wanted;
};

static gg_status check_conditions(const char *name, const struct condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!conditions[i].holds)
            return gg_fail(GG_USAGE, "%s: llama.cpp's graph of %s has %s only", conditions[i].setting, name,
                           conditions[i].wanted);
    return GG_OK;
}

static bool is_dense(const struct gg_model_settings *s) {
    return s->attention == GG_ATTENTION_DENSE || s->window >= s->context;
}

static gg_status check_gpt2(const struct gg_model_settings *s) {
    const struct condition conditions[] = {
        {s->norm_place == GG_NORM_PRE, "model.norm_place", "pre"},
        {s->norm == GG_NORM_LAYERNORM, "model.norm", "layernorm"},
        {s->activation == GG_ACTIVATION_GELU_TANH, "model.activation", "gelu_tanh"},
        {s->positions == GG_POSITIONS_LEARNED, "model.positions", "learned"},
        {is_dense(s), "model.attention", "dense"},
        {gg_model_head_size(s) * s->heads == s->width, "model.head_size", "width / heads"},
        {s->biases, "model.biases", "true"},
        {s->labels.count == 0, "model.labels", "the vocabulary"},
    };
    return check_conditions("gpt2", conditions, sizeof conditions / sizeof *conditions);
}

static gg_status check_llama(const char *name, const struct gg_model_settings *s) {
    const struct condition conditions[] = {
        {s->norm_place == GG_NORM_PRE, "model.norm_place", "pre"},
        {s->norm == GG_NORM_RMSNORM, "model.norm", "rmsnorm"},
        {s->activation == GG_ACTIVATION_SWIGLU, "model.activation", "swiglu"},
        {s->positions == GG_POSITIONS_ROTARY, "model.positions", "rotary"},
        {is_dense(s), "model.attention", "dense"},
        {!s->qk_norm || !s->biases, "model.biases", "false"},
        {s->labels.count == 0, "model.labels", "the vocabulary"},
    };
    return check_conditions(name, conditions, sizeof conditions / sizeof *conditions);
}

gg_status gg_gguf_architecture(const struct gg_model_settings *settings,
                               const struct gg_parameter_table *table,
                               struct gg_gguf_architecture *architecture) {
    /* A model with maps apart has Llama's names. */
    if (gg_parameter_find(table, "model.embed_tokens.weight") < 0) {
        *architecture = (struct gg_gguf_architecture){.name = "gpt2"};
        return check_gpt2(settings);
    }
    architecture->name = settings->qk_norm ? "qwen3" : "llama";
    architecture->paired_heads = !settings->qk_norm;
    return check_llama(architecture->name, settings);
}

/* Keys have the architecture's name in front. */
static void put_integer(gg_gguf_writer *writer, const char *architecture, const char *key, int64_t value) {
    char name[80];
    snprintf(name, sizeof name, "%s.%s", architecture, key);
    gg_gguf_put_uint32(writer, name, (uint32_t)value);
}

static void put_real(gg_gguf_writer *writer, const char *architecture, const char *key, double value) {
    char name[80];
    snprintf(name, sizeof name, "%s.%s", architecture, key);
    gg_gguf_put_float(writer, name, (float)value);
}

void gg_gguf_put_model(gg_gguf_writer *writer, const struct gg_gguf_architecture *architecture,
                       const struct gg_model_settings *s) {
    const char *name = architecture->name;
    gg_gguf_put_text(writer, "general.architecture", name);
    put_integer(writer, name, "vocab_size", s->vocab);
    put_integer(writer, name, "context_length", s->context);
    put_integer(writer, name, "embedding_length", s->width);
    put_integer(writer, name, "block_count", s->layers);
    put_integer(writer, name, "feed_forward_length", gg_model_mlp_width(s));
    put_integer(writer, name, "attention.head_count", s->heads);
    put_integer(writer, name, "attention.head_count_kv", gg_model_kv_heads(s));
    put_real(writer, name,
             s->norm == GG_NORM_RMSNORM ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
             s->norm_eps);
    if (s->positions != GG_POSITIONS_ROTARY)
        return;
    put_integer(writer, name, "attention.key_length", gg_model_head_size(s));
    put_integer(writer, name, "attention.value_length", gg_model_head_size(s));
    put_integer(writer, name, "rope.dimension_count", gg_model_head_size(s));
    put_real(writer, name, "rope.freq_base", s->rope_theta);
}

struct name_pair {
    const char *ours, *theirs;
};

/* The pair whose name begins a tensor's, up to its last dot; the list's end, without names: none does. */
static const struct name_pair *find_pair(const struct name_pair *pairs, const char *name) {
    for (; pairs->ours != NULL; pairs++) {
        const size_t length = strlen(pairs->ours);
        if (strncmp(pairs->ours, name, length) == 0 && name[length] == '.')
            return pairs;
    }
    return pairs;
}

void gg_gguf_tensor_name(const char *name, char theirs[GG_GGUF_NAME_BYTES]) {
    static const struct name_pair outside[] = {
        {"transformer.wte", "token_embd"},
        {"transformer.wpe", "position_embd"},
        {"transformer.ln_f", "output_norm"},
        {"model.embed_tokens", "token_embd"},
        {"model.norm", "output_norm"},
        {"lm_head", "output"},
        {NULL, NULL},
    };
    static const struct name_pair inside[] = {
        {"ln_1", "attn_norm"},
        {"attn.c_attn", "attn_qkv"},
        {"attn.c_proj", "attn_output"},
        {"ln_2", "ffn_norm"},
        {"mlp.c_fc", "ffn_up"},
        {"mlp.c_proj", "ffn_down"},
        {"input_layernorm", "attn_norm"},
        {"self_attn.q_proj", "attn_q"},
        {"self_attn.k_proj", "attn_k"},
        {"self_attn.v_proj", "attn_v"},
        {"self_attn.o_proj", "attn_output"},
        {"self_attn.q_norm", "attn_q_norm"},
        {"self_attn.k_norm", "attn_k_norm"},
        {"post_attention_layernorm", "ffn_norm"},
        {"mlp.gate_proj", "ffn_gate"},
        {"mlp.up_proj", "ffn_up"},
        {"mlp.down_proj", "ffn_down"},
        {NULL, NULL},
    };
    int layer, length = 0;
    char block[24] = "";
    const struct name_pair *pairs = outside;
    const char *rest = name;
    if ((sscanf(name, "transformer.h.%d.%n", &layer, &length) == 1 ||
         sscanf(name, "model.layers.%d.%n", &layer, &length) == 1) &&
        length > 0) {
        snprintf(block, sizeof block, "blk.%d.", layer);
        pairs = inside;
        rest = name + length;
    }
    const struct name_pair *pair = find_pair(pairs, rest);
    GG_ASSERT(pair->ours != NULL);
    snprintf(theirs, GG_GGUF_NAME_BYTES, "%s%s%s", block, pair->theirs, rest + strlen(pair->ours));
}

int64_t gg_gguf_paired_column(int64_t row, int64_t head_size) {
    const int64_t head = row / head_size, within = row % head_size;
    return head * head_size + within % 2 * (head_size / 2) + within / 2;
}
