/* gridgpt export: a checkpoint's weights as other programs read them. */
#include "core/base/memory.h"
#include "core/model/graph.h"
#include "io/huggingface/gguf_export.h"
#include "io/huggingface/huggingface_export.h"
#include "jobs/command/commands.h"
#include "jobs/command/settings.h"
#include "jobs/use/checkpoint_find.h"

#include <stdlib.h>
#include <string.h>

enum format { FORMAT_HF, FORMAT_GGUF };
static const char *const format_names[] = {"hf", "gguf", NULL};

enum dtype { DTYPE_FP32, DTYPE_BF16, DTYPE_F16, DTYPE_Q8_0 };
static const char *const dtype_names[] = {"fp32", "bf16", "f16", "q8_0", NULL};

struct values {
    char *out;
    int format, dtype;
    int64_t shard_bytes;
};

static const struct gg_option options[] = {
    {"out", GG_OPTION_TEXT, offsetof(struct values, out), 0, 0, NULL, NULL, "PATH",
     "hf: the folder to make, which may be there if it is empty; gguf: the file", 0},
    {"format", GG_OPTION_CHOICE, offsetof(struct values, format), 0, 0, "hf", format_names, NULL,
     "hf: a folder for transformers; gguf: a file for llama.cpp", 0},
    {"dtype", GG_OPTION_CHOICE, offsetof(struct values, dtype), 0, 0, "fp32", dtype_names, NULL,
     "of the values, rounded to the nearest; f16 and q8_0: gguf only", 0},
    {"shard-bytes", GG_OPTION_INTEGER, offsetof(struct values, shard_bytes), 1, 9e15, "5g", NULL, "N",
     "hf: bytes of one safetensors file at most; more tensors go into further ones, with an index", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* A checkpoint's contents, and the model that its settings describe. */
struct departure {
    char *path;
    struct gg_checkpoint_contents contents;
    struct gg_settings settings;
    struct gg_graph graph;
};

static gg_status open_checkpoint(const char *path, struct departure *d) {
    static const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    struct gg_model_config config;
    GG_TRY(gg_checkpoint_find(path, &d->path));
    GG_TRY(gg_checkpoint_examine(d->path, &d->contents));
    const char *yaml = d->contents.meta.settings_yaml;
    GG_TRY(gg_settings_read_checkpoint(&d->settings, yaml, d->path));
    gg_status status = gg_settings_resolve(&d->settings);
    if (status == GG_OK)
        status = gg_model_configure(&d->settings.model, &d->settings.compute, 0, d->contents.meta.vocab,
                                    &whole, &config);
    if (status != GG_OK)
        return gg_fail_within(status, "%s", d->path);
    d->settings.model.vocab = config.vocab;
    gg_graph_make(&config, &whole, &d->graph);
    return GG_OK;
}

static gg_status export_huggingface(const struct departure *d, const struct values *values) {
    if (values->dtype != DTYPE_FP32 && values->dtype != DTYPE_BF16)
        return gg_fail(GG_USAGE, "--dtype %s: --format hf has fp32 and bf16", dtype_names[values->dtype]);
    const struct gg_huggingface_export export = {
        .path = d->path,
        .contents = &d->contents,
        .settings = &d->settings.model,
        .table = &d->graph.table,
        .type = values->dtype == DTYPE_FP32 ? GG_SAFETENSORS_F32 : GG_SAFETENSORS_BF16,
        .shard_bytes = values->shard_bytes,
    };
    return gg_huggingface_export(&export, values->out);
}

static gg_status export_gguf(const struct departure *d, const struct values *values) {
    static const enum gg_gguf_type types[] = {[DTYPE_FP32] = GG_GGUF_F32,
                                              [DTYPE_BF16] = GG_GGUF_BF16,
                                              [DTYPE_F16] = GG_GGUF_F16,
                                              [DTYPE_Q8_0] = GG_GGUF_Q8_0};
    const struct gg_gguf_export export = {
        .path = d->path,
        .contents = &d->contents,
        .settings = &d->settings.model,
        .table = &d->graph.table,
        .type = types[values->dtype],
    };
    return gg_gguf_export(&export, values->out);
}

static gg_status export_as(const struct departure *d, const struct values *values) {
    switch ((enum format)values->format) {
    case FORMAT_HF:
        return export_huggingface(d, values);
    case FORMAT_GGUF:
        return export_gguf(d, values);
    }
    return gg_fail(GG_USAGE, "--format: not known");
}

static gg_status export(const struct gg_command *command, const void *options_read,
                        const struct gg_words *words) {
    const struct values *values = options_read;
    if (words->count != 1)
        return gg_fail(GG_USAGE, "one CHECKPOINT is wanted; usage: %s", command->usage);
    if (values->out == NULL)
        return gg_fail(GG_USAGE, "--out is wanted: where to write; usage: %s", command->usage);
    struct departure d = {0};
    gg_settings_init(&d.settings);
    gg_status status = open_checkpoint(words->items[0], &d);
    if (status == GG_OK)
        status = export_as(&d, values);
    gg_graph_free(&d.graph);
    gg_settings_free(&d.settings);
    gg_checkpoint_contents_free(&d.contents);
    free(d.path);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_command_run(command, argc, argv, &values, export);
}

const struct gg_command gg_command_export = {
    .name = "export",
    .usage = "gridgpt export CHECKPOINT --out PATH [options]",
    .summary =
        "a checkpoint's weights for other programs\n\n"
        "CHECKPOINT is a file, or a run folder: then its newest. --format hf writes a folder that\n"
        "transformers loads as GPT2LMHeadModel, OpenAIGPTLMHeadModel, LlamaForCausalLM,\n"
        "MistralForCausalLM or Qwen3ForCausalLM, with its tokenizer; a model that is none of these is\n"
        "refused with the setting that stands in the way. --format gguf writes one file that llama.cpp\n"
        "loads as its gpt2, llama or qwen3, tokenizer inside; vectors and learned positions are fp32 in\n"
        "it whatever --dtype says, and with q8_0 matrices whose rows 32 does not divide are f16. Both need\n"
        "the memory of one tensor.",
    .options = &table,
    .run = run,
};
