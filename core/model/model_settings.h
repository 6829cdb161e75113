/* The settings model.*: what a model is. All local.
 */
#ifndef GG_CORE_MODEL_MODEL_SETTINGS_H
#define GG_CORE_MODEL_MODEL_SETTINGS_H

#include "core/base/options.h"
#include "core/kernels/activation.h"

/* Layer norm: Ba et al. 2016; RMSNorm: Zhang and Sennrich 2019. */
enum gg_norm_kind { GG_NORM_LAYERNORM, GG_NORM_RMSNORM };

/* Before each part of a block, with one more before the head (GPT-2), or behind each sum of stream and part
 * (Vaswani et al. 2017; GPT-1). */
enum gg_norm_place { GG_NORM_PRE, GG_NORM_POST };

/* Learned: GPT; sinusoidal: Vaswani et al. 2017, section 3.5, without its sqrt(d) on embeddings; rotary: Su et
 * al. 2021. */
enum gg_positions { GG_POSITIONS_LEARNED, GG_POSITIONS_SINUSOIDAL, GG_POSITIONS_ROTARY, GG_POSITIONS_NONE };

/* Which keys a query sees: all up to its own; the last model.window of these; all in even layers, the window
 * in odd ones (Brown et al. 2020, section 2.1). */
enum gg_attention_reach { GG_ATTENTION_DENSE, GG_ATTENTION_BANDED, GG_ATTENTION_ALTERNATING };

/* Behind the activations of enum gg_activation (core/kernels/activation.h): silu(gate) up, with a map more. */
enum { GG_ACTIVATION_SWIGLU = GG_ACTIVATION_RELU + 1 };

struct gg_model_settings {
    int preset; /* index into gg_preset_names; 0: none */
    int64_t layers, heads, width, context;
    int64_t kv_heads;  /* 0: as many as heads */
    int64_t head_size; /* 0: width / heads */
    int64_t mlp_width; /* 0: four times the width */
    int64_t vocab;     /* 0: the tokenizer's */
    int norm;          /* enum gg_norm_kind */
    int norm_place;
    double norm_eps;
    int activation; /* enum gg_activation, or GG_ACTIVATION_SWIGLU */
    int positions;
    double rope_theta;
    int attention; /* enum gg_attention_reach */
    int64_t window;
    bool qk_norm, tied, biases;
    double dropout;
    struct gg_text_list labels; /* classes of texts; none: the model has no head for them */
    double lm_weight;           /* of the language model's loss beside that of the classes */
};

extern const struct gg_option_table gg_model_setting_rows;

/* Fills in the preset's values where none were given, then checks what the model's settings say of one another.
 *   given [in] per row: set from a file or the command line, not by default
 * GG_USAGE, with the reason, for what makes no sense together. */
gg_status gg_model_settings_resolve(struct gg_model_settings *settings, const bool *given) GG_MUST_USE;

/* What the zeros stand for. */
int64_t gg_model_mlp_width(const struct gg_model_settings *settings);
int64_t gg_model_kv_heads(const struct gg_model_settings *settings);
int64_t gg_model_head_size(const struct gg_model_settings *settings);

/* The settings with those zeros filled in: two that are the same model are then the same. */
struct gg_model_settings gg_model_settings_filled(const struct gg_model_settings *settings);

#endif
