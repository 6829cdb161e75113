/* Models of GPT's family for tests, by the settings that make them; and weights and tokens that a test can
 * make again in another language (tests/golden/make_family_golden.py).
 */
#ifndef GG_TESTS_MODEL_VARIANTS_H
#define GG_TESTS_MODEL_VARIANTS_H

#include "tests/check.h"

#include "core/base/memory.h"
#include "core/model/config.h"

#include <stdlib.h>
#include <string.h>

/* Members of the family, and mixes that nobody has published, as settings over those of a test. They say their
 * own heads where they want more of queries than of keys and values. None has a tensor whose gradient is zero but
 * for rounding: a key's bias, which adds the same to all scores of a query, stands beside those of queries and
 * values, or positions are rotary. */
#define VARIANT_LLAMA                                                                                        \
    " model.norm=rmsnorm model.positions=rotary model.activation=swiglu model.biases=false model.heads=4"    \
    " model.kv_heads=2"
static const char *const family[] = {
    "" /* GPT-2 */,
    "model.norm_place=post" /* GPT-1 */,
    "model.attention=alternating model.window=5" /* GPT-3 */,
    VARIANT_LLAMA " model.tied=false",
    VARIANT_LLAMA " model.tied=false model.attention=banded model.window=7" /* Mistral */,
    VARIANT_LLAMA " model.qk_norm=true model.head_size=6" /* Qwen3 */,
    VARIANT_LLAMA " model.norm_place=post",
    "model.activation=relu model.positions=none model.biases=false model.tied=false model.head_size=5",
    "model.activation=gelu model.positions=sinusoidal model.norm=rmsnorm",
    "model.activation=swiglu model.positions=rotary model.norm_place=post model.attention=banded model.window=4",
    "model.attention=alternating model.window=2 model.qk_norm=true model.heads=4 model.kv_heads=1 model.head_size=5",
};
enum { FAMILY = sizeof family / sizeof *family };

/* Sets what a text "key=value key=value ..." says of a room of settings: those whose names begin with its prefix. */
static inline void variant_words(const struct gg_option_values *values, const char *prefix,
                                 const char *text) {
    char *copy = gg_format("%s", text), *rest = copy, *word;
    while ((word = strtok_r(rest, " \n", &rest)) != NULL) {
        char *equals = strchr(word, '=');
        assert_non_null(equals);
        *equals = '\0';
        if (strncmp(word, prefix, strlen(prefix)) == 0)
            CHECK_OK(gg_option_values_set(values, word, equals + 1, "test"));
        else
            assert_true(strncmp(word, "model.", 6) == 0 || strncmp(word, "finetune.lora.", 14) == 0);
    }
    free(copy);
}

/* The model's settings in such a text; what it does not say is as by default. */
static inline struct gg_model_settings variant_settings(const char *text) {
    struct gg_model_settings settings = {0};
    bool *given = gg_calloc(gg_model_setting_rows.count, sizeof *given);
    gg_options_defaults(&gg_model_setting_rows, &settings);
    const struct gg_option_values values = {&gg_model_setting_rows, &settings, given};
    variant_words(&values, "model.", text);
    CHECK_OK(gg_model_settings_resolve(&settings, given));
    free(given);
    return settings;
}

/* Its adapters, which are told whole or not at all; free with gg_options_free. */
static inline struct gg_lora_settings variant_lora(const char *text) {
    struct gg_lora_settings settings = {0};
    bool *given = gg_calloc(gg_lora_setting_rows.count, sizeof *given);
    const struct gg_option_values values = {&gg_lora_setting_rows, &settings, given};
    variant_words(&values, "finetune.lora.", text);
    free(given);
    return settings;
}

/* The configuration that they make on one rank, in fp32. */
static inline struct gg_model_config variant_config_of(const struct gg_model_settings *settings) {
    const struct gg_compute_settings compute = {0};
    const struct gg_shards shards = {.feature_shards = 1, .token_shards = 1};
    struct gg_model_config config;
    assert_true(settings->vocab > 0);
    CHECK_OK(gg_model_configure(settings, &compute, 9, settings->vocab, &shards, &config));
    return config;
}

static inline struct gg_model_config variant_config(const char *text) {
    const struct gg_model_settings settings = variant_settings(text);
    return variant_config_of(&settings);
}

/* That of a member of the family. */
static inline struct gg_model_config family_config(const char *sizes, int member) {
    char *text = gg_format("%s %s", sizes, family[member]);
    printf("%s\n", text);
    const struct gg_model_config config = variant_config(text);
    free(text);
    return config;
}

/* 24 bits of a name and an index: SplitMix64's output function (Steele et al. 2014) of the name's FNV-1a. */
static inline uint64_t named_bits(const char *name, int64_t index) {
    uint64_t z = 0xcbf29ce484222325;
    for (; *name != '\0'; name++)
        z = (z ^ (unsigned char)*name) * 0x100000001b3;
    z += ((uint64_t)index + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) >> 40;
}

/* From [-0.5, 0.5), and about 1 for a norm's gain: larger than initial weights are, so that every part of the
 * model matters to the loss. */
static inline float named_weight(const char *name, int64_t index) {
    const bool gain = strstr(name, "norm.weight") != NULL ||
                      (strstr(name, "ln_") != NULL && strstr(name, ".weight") != NULL);
    return (float)(((double)named_bits(name, index) - 0x1p23) * 0x1p-24 + (gain ? 1 : 0));
}

#endif
