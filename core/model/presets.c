/* The models that have names, each by what differs from the defaults of model.*.
 *
 * GPT-1: Radford et al. 2018, section 4.1. GPT-2: Radford et al. 2019, table 2. GPT-3: Brown et al. 2020, table
 * 2.1, whose XL has 24 heads of 128 for a width of 2048, and whose 13B has a width of 5140: here 16 heads, and
 * 5120. Their section 2.1 alternates dense and locally banded layers and names no window; here it is 256.
 * Llama (Touvron et al. 2023) at small sizes: llama-124m has Llama's heads of 128; llama-1.1b is
 * TinyLlama's (Zhang et al. 2024, table 2). qwen3-0.6b: Yang et al. 2025, table 1. */
#include "core/model/presets.h"

#include <stdio.h>
#include <string.h>

#define GPT1 "norm_place=post context=512 vocab=40478"
#define GPT2 "context=1024 vocab=50257"
#define GPT3 "context=2048 vocab=50257 attention=alternating window=256"
#define LLAMA                                                                                                 \
    "norm=rmsnorm positions=rotary activation=swiglu biases=false tied=false vocab=32000 layers=12 heads=12 " \
    "width=768"
#define QWEN3                                                                                                 \
    "norm=rmsnorm norm_eps=1e-6 positions=rotary rope_theta=1e6 activation=swiglu biases=false qk_norm=true " \
    "head_size=128 vocab=151936 context=4096"

const char *const gg_preset_names[] = {"none",       "gpt1",       "gpt2-124m",   "gpt2-355m",  "gpt2-774m",
                                       "gpt2-1558m", "gpt3-small", "gpt3-medium", "gpt3-large", "gpt3-xl",
                                       "gpt3-2.7b",  "gpt3-6.7b",  "gpt3-13b",    "gpt3-175b",  "llama-24m",
                                       "llama-58m",  "llama-124m", "llama-1.1b",  "qwen3-0.6b", NULL};

/* In the order of the names; of two values of one setting the later counts. */
static const char *const presets[] = {
    "",
    GPT1 " layers=12 heads=12 width=768",
    GPT2 " layers=12 heads=12 width=768",
    GPT2 " layers=24 heads=16 width=1024",
    GPT2 " layers=36 heads=20 width=1280",
    GPT2 " layers=48 heads=25 width=1600",
    GPT3 " layers=12 heads=12 width=768",
    GPT3 " layers=24 heads=16 width=1024",
    GPT3 " layers=24 heads=16 width=1536",
    GPT3 " layers=24 heads=16 width=2048",
    GPT3 " layers=32 heads=32 width=2560",
    GPT3 " layers=32 heads=32 width=4096",
    GPT3 " layers=40 heads=40 width=5120",
    GPT3 " layers=96 heads=96 width=12288",
    LLAMA " layers=6 heads=6 width=288 mlp_width=768 context=256",
    LLAMA " layers=8 heads=8 width=512 mlp_width=1376 context=1024",
    LLAMA " heads=6 kv_heads=2 mlp_width=2048 context=1024",
    LLAMA " layers=22 heads=32 kv_heads=4 width=2048 mlp_width=5632 context=2048",
    QWEN3 " layers=28 heads=16 kv_heads=8 width=1024 mlp_width=3072",
};

void gg_preset_apply(int preset, const struct gg_option_table *table, const bool *given, void *values) {
    char text[512];
    snprintf(text, sizeof text, "%s", presets[preset]);
    char *rest = text;
    for (char *word = strtok_r(rest, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char name[64], *equals = strchr(word, '=');
        *equals = '\0';
        snprintf(name, sizeof name, "model.%s", word);
        if (gg_options_given(table, given, name))
            continue;
        const gg_status status = gg_options_set(table, values, name, equals + 1, "preset");
        GG_ASSERT(status == GG_OK);
    }
}
