/* gridgpt export: a checkpoint's weights as other programs read them. */
#include "core/base/memory.h"
#include "core/model/graph.h"
#include "io/checkpoint/checkpoint_stream.h"
#include "io/huggingface/gguf_export.h"
#include "io/huggingface/huggingface_export.h"
#include "io/huggingface/peft_export.h"
#include "jobs/command/commands.h"
#include "jobs/command/settings.h"
#include "jobs/use/checkpoint_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum format { FORMAT_HF, FORMAT_GGUF, FORMAT_PEFT, FORMAT_CHECKPOINT };
static const char *const format_names[] = {"hf", "gguf", "peft", "checkpoint", NULL};

enum dtype { DTYPE_FP32, DTYPE_BF16, DTYPE_F16, DTYPE_Q8_0 };
static const char *const dtype_names[] = {"fp32", "bf16", "f16", "q8_0", NULL};

struct values {
    char *out, *base;
    int format, dtype;
    int64_t shard_bytes;
};

static const struct gg_option options[] = {
    {"out", GG_OPTION_TEXT, offsetof(struct values, out), 0, 0, NULL, NULL, "PATH",
     "hf, peft: the folder to make, which may be there if it is empty; gguf, checkpoint: the file", 0},
    {"format", GG_OPTION_CHOICE, offsetof(struct values, format), 0, 0, "hf", format_names, NULL,
     "hf: a folder for transformers; gguf: a file for llama.cpp; peft: adapters alone, a folder for "
     "PEFT; checkpoint: weights alone, a checkpoint",
     0},
    {"dtype", GG_OPTION_CHOICE, offsetof(struct values, dtype), 0, 0, "fp32", dtype_names, NULL,
     "of the values, rounded to the nearest; f16 and q8_0: gguf only; a checkpoint is fp32", 0},
    {"base", GG_OPTION_TEXT, offsetof(struct values, base), 0, 0, NULL, NULL, "CHECKPOINT",
     "of adapters: where the weights are that they stand beside, when they were moved", 0},
    {"shard-bytes", GG_OPTION_INTEGER, offsetof(struct values, shard_bytes), 1, 9e15, "5g", NULL, "N",
     "hf: bytes of one safetensors file at most; more tensors go into further ones, with an index", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* A checkpoint's contents, and the model that its settings describe. Of adapters: the contents of the weights that
 * they stand beside, but for the metadata, which are the adapters'. */
struct departure {
    char *path;
    struct gg_checkpoint_contents contents;
    struct gg_settings settings; /* without adapters */
    struct gg_graph graph;
    bool has_adapters;
    char *adapters_path;
    struct gg_checkpoint_contents adapters_contents;
    struct gg_adapters adapters;
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

/* The checkpoint that was opened is one of adapters: what they are and stand beside.
 *   base [in] where that is; NULL: where it was
 *   whole [in] whether its weights are wanted */
static gg_status open_base(struct departure *d, const char *base, bool whole) {
    d->has_adapters = true;
    d->adapters_path = d->path;
    d->adapters_contents = d->contents;
    d->path = NULL;
    d->contents = (struct gg_checkpoint_contents){0};
    d->adapters = (struct gg_adapters){d->adapters_path, &d->adapters_contents, d->settings.lora};
    d->settings.lora = (struct gg_lora_settings){0}; /* its list is the adapters' now */
    GG_TRY(gg_adapters_check(&d->adapters, &d->graph.table));
    if (!whole)
        return GG_OK;
    struct gg_checkpoint_meta *meta = &d->adapters_contents.meta;
    gg_status status = gg_checkpoint_find(base != NULL ? base : meta->base_path, &d->path);
    if (status == GG_OK)
        status = gg_checkpoint_examine(d->path, &d->contents);
    if (status != GG_OK)
        return gg_fail_within(status,
                              "%s holds adapters alone, and the weights that they stand beside (--base)",
                              d->adapters_path);
    GG_TRY(gg_checkpoint_check_base(d->adapters_path, meta, d->path, &d->contents));
    const struct gg_checkpoint_meta theirs = d->contents.meta;
    d->contents.meta = *meta;
    *meta = theirs;
    fprintf(stderr, "%s: adapters of rank %lld, added to the weights of %s\n", d->adapters_path,
            (long long)d->adapters.settings.rank, d->path);
    return GG_OK;
}

static const struct gg_adapters *adapters_of(const struct departure *d) {
    return d->has_adapters ? &d->adapters : NULL;
}

static gg_status export_peft(const struct departure *d, const struct values *values) {
    if (!d->has_adapters)
        return gg_fail(GG_USAGE, "--format peft: %s holds whole weights and no adapters", d->path);
    if (values->dtype != DTYPE_FP32 && values->dtype != DTYPE_BF16)
        return gg_fail(GG_USAGE, "--dtype %s: --format peft has fp32 and bf16", dtype_names[values->dtype]);
    return gg_peft_export(&d->adapters, &d->graph.table,
                          values->dtype == DTYPE_FP32 ? GG_SAFETENSORS_F32 : GG_SAFETENSORS_BF16,
                          values->out);
}

static gg_status stream_weights(const struct departure *d, const struct gg_merged_weights *weights,
                                gg_checkpoint_stream *stream) {
    for (int i = 0; i < d->graph.table.count; i++) {
        const struct gg_parameter *p = &d->graph.table.items[i];
        const int64_t elements = p->rows * p->columns;
        void *values;
        GG_TRY(gg_try_malloc((size_t)elements * sizeof(float), p->name, &values));
        gg_status status = gg_merged_weights_load(weights, &d->graph.table, p, values);
        if (status == GG_OK)
            status = gg_checkpoint_stream_put(stream, i, values, elements);
        free(values);
        GG_TRY(status);
    }
    return GG_OK;
}

static gg_status export_checkpoint(const struct departure *d, const struct values *values) {
    if (values->dtype != DTYPE_FP32)
        return gg_fail(GG_USAGE, "--dtype %s: a checkpoint is fp32", dtype_names[values->dtype]);
    const struct gg_merged_weights weights = {d->path, &d->contents, adapters_of(d)};
    GG_TRY(gg_merged_weights_check(&weights, &d->graph.table));
    struct gg_checkpoint_meta meta = d->contents.meta;
    meta.settings_yaml = gg_settings_yaml(&d->settings);
    meta.base_path = NULL;
    gg_checkpoint_stream *stream = NULL;
    gg_status status = gg_checkpoint_stream_create(values->out, &d->graph.table, &meta, &stream);
    if (status == GG_OK)
        status = stream_weights(d, &weights, stream);
    if (status == GG_OK)
        status = gg_checkpoint_stream_finish(stream);
    gg_checkpoint_stream_destroy(&stream);
    free(meta.settings_yaml);
    return status;
}

static gg_status export_huggingface(const struct departure *d, const struct values *values) {
    if (values->dtype != DTYPE_FP32 && values->dtype != DTYPE_BF16)
        return gg_fail(GG_USAGE, "--dtype %s: --format hf has fp32 and bf16", dtype_names[values->dtype]);
    const struct gg_huggingface_export export = {
        .path = d->path,
        .contents = &d->contents,
        .adapters = adapters_of(d),
        .settings = &d->settings.model,
        .chat = &d->settings.chat,
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
        .adapters = adapters_of(d),
        .settings = &d->settings.model,
        .chat = &d->settings.chat,
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
    case FORMAT_PEFT:
        return export_peft(d, values);
    case FORMAT_CHECKPOINT:
        return export_checkpoint(d, values);
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
    if (status == GG_OK && d.contents.meta.base_path != NULL)
        status = open_base(&d, values->base, values->format != FORMAT_PEFT);
    else if (status == GG_OK && values->base != NULL)
        status = gg_fail(GG_USAGE, "--base: %s holds whole weights and no adapters", d.path);
    if (status == GG_OK)
        status = export_as(&d, values);
    gg_options_free(&gg_lora_setting_rows, &d.adapters.settings);
    gg_graph_free(&d.graph);
    gg_settings_free(&d.settings);
    gg_checkpoint_contents_free(&d.adapters_contents);
    gg_checkpoint_contents_free(&d.contents);
    free(d.adapters_path);
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
        "MistralForCausalLM or Qwen3ForCausalLM, or with classes as their ...ForSequenceClassification, with\n"
        "its tokenizer and chat template; a model that is none of these is\n"
        "refused with the setting that stands in the way. --format gguf writes one file that llama.cpp\n"
        "loads as its gpt2, llama or qwen3, tokenizer inside; vectors and learned positions are fp32 in\n"
        "it whatever --dtype says, and with q8_0 matrices whose rows 32 does not divide are f16. A\n"
        "checkpoint of adapters (finetune.lora) is merged with the weights that they stand beside, which\n"
        "are looked for where they were; --format peft writes the adapters alone, as PEFT loads them, and\n"
        "--format checkpoint a checkpoint of weights. All need the memory of one tensor.",
    .options = &table,
    .run = run,
};
