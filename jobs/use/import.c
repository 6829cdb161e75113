/* gridgpt import: a Hugging Face folder into a checkpoint. */
#include "core/base/memory.h"
#include "core/model/graph.h"
#include "io/base/file.h"
#include "io/base/json_parse.h"
#include "io/huggingface/huggingface_import.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/command/commands.h"
#include "jobs/command/job.h"
#include "jobs/command/settings.h"

#include <math.h>
#include <stdlib.h>

enum { TEMPLATE_BYTES = 16 << 20 };

struct values {
    char *out;
    int64_t context;
};

static const struct gg_option options[] = {
    {"out", GG_OPTION_TEXT, offsetof(struct values, out), 0, 0, NULL, NULL, "CHECKPOINT",
     "the file to write; an older one of that name is replaced", 0},
    {"context", GG_OPTION_INTEGER, offsetof(struct values, context), 0, 1048576, "0", NULL, "N",
     "context of the checkpoint, where positions are not learned: memory grows with it; 0: the model's", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* What is brought in, on its way. */
struct arrival {
    const char *folder;
    int64_t context; /* 0: the model's */
    struct gg_settings settings;
    gg_tokenizer *tokenizer; /* NULL: none, or of a kind that we do not have */
    struct gg_graph graph;
    struct gg_checkpoint_meta meta;
};

/* Whether the folder has the files of a tokenizer, of any kind. */
static bool has_tokenizer(const char *folder) {
    static const char *const names[] = {"tokenizer.json", "vocab.json", "tokenizer.model"};
    bool found = false;
    for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++) {
        char *path = gg_format("%s/%s", folder, names[i]);
        found = gg_file_exists(path);
        free(path);
    }
    return found;
}

/* The folder's tokenizer. One of another kind is no reason to leave the model: it works on ids. */
static gg_status take_tokenizer(struct arrival *a) {
    if (!has_tokenizer(a->folder)) {
        fprintf(stderr, "warning: %s holds no tokenizer: the checkpoint works on token ids\n", a->folder);
        return GG_OK;
    }
    bool other_kind;
    const gg_status status = gg_tokenizer_load_known(a->folder, &other_kind, &a->tokenizer);
    if (status != GG_OK && !other_kind)
        return status;
    if (status != GG_OK) {
        fprintf(stderr,
                "warning: imported without its tokenizer, so that the checkpoint works on token ids: %s\n",
                gg_failure());
        return GG_OK;
    }
    const int64_t vocab = gg_tokenizer_vocab(a->tokenizer);
    if (a->settings.model.vocab < vocab)
        return gg_fail(GG_BAD_DATA,
                       "%s/config.json: vocab_size: %lld, and the tokenizer beside it has %lld entries",
                       a->folder, (long long)a->settings.model.vocab, (long long)vocab);
    return GG_OK;
}

/* The text of a template for conversations, if the folder has one that is a single text. */
static gg_status take_chat_template(struct arrival *a) {
    char *alone = gg_format("%s/chat_template.jinja", a->folder);
    char *config = gg_format("%s/tokenizer_config.json", a->folder), *text = NULL;
    size_t bytes;
    json_t *root = NULL;
    gg_status status = GG_OK;
    if (gg_file_exists(alone))
        status = gg_file_read(alone, TEMPLATE_BYTES, &a->settings.chat.jinja, &bytes);
    else if (gg_file_exists(config)) {
        status = gg_file_read(config, TEMPLATE_BYTES, &text, &bytes);
        if (status == GG_OK)
            status = gg_json_parse(text, bytes, &root);
        if (status != GG_OK)
            gg_fail_within(status, "%s", config);
        const json_t *template = json_object_get(root, "chat_template");
        if (json_is_string(template))
            a->settings.chat.jinja = gg_strdup(json_string_value(template));
    }
    json_decref(root);
    free(text);
    free(config);
    free(alone);
    return status;
}

/* Rotary positions are made for any context: a shorter one is the same model. */
static gg_status shorten_context(const struct arrival *a, struct gg_model_settings *model) {
    if (a->context == 0 || a->context == model->context)
        return GG_OK;
    if (model->positions == GG_POSITIONS_LEARNED)
        return gg_fail(GG_USAGE, "--context %lld: the positions of %s are learned, %lld of them",
                       (long long)a->context, a->folder, (long long)model->context);
    if (a->context > model->context)
        return gg_fail(GG_USAGE, "--context %lld: %s was made for %lld at most", (long long)a->context,
                       a->folder, (long long)model->context);
    model->context = a->context;
    return GG_OK;
}

/* The model's settings and its table. What is wrong with them is wrong with the folder. */
static gg_status make_model(struct arrival *a) {
    static const struct gg_shards whole = {.feature_shards = 1, .token_shards = 1};
    struct gg_model_config config;
    GG_TRY(gg_huggingface_import_settings(a->folder, &a->settings.model));
    GG_TRY(shorten_context(a, &a->settings.model));
    gg_status status = gg_settings_resolve(&a->settings);
    if (status == GG_OK)
        status = gg_model_configure(&a->settings.model, &a->settings.compute, 0, a->settings.model.vocab,
                                    &whole, &config);
    if (status != GG_OK)
        return gg_fail_within(GG_BAD_DATA, "%s/config.json", a->folder);
    gg_graph_make(&config, &whole, &a->graph);
    return GG_OK;
}

/* Step 0 of a run that is yet to come. */
static gg_status make_meta(struct arrival *a) {
    struct gg_checkpoint_meta *meta = &a->meta;
    *meta = (struct gg_checkpoint_meta){.vocab = a->settings.model.vocab,
                                        .run_seed = a->settings.run.seed,
                                        .data_seed = a->settings.data.seed,
                                        .train_loss = NAN,
                                        .val_loss = NAN,
                                        .settings_yaml = gg_settings_yaml(&a->settings)};
    if (a->tokenizer == NULL)
        return GG_OK;
    meta->vocab = gg_tokenizer_vocab(a->tokenizer);
    meta->tokenizer_fingerprint = gg_tokenizer_fingerprint(a->tokenizer);
    meta->tokenizer_json = gg_tokenizer_to_json(a->tokenizer, &meta->tokenizer_bytes);
    return meta->tokenizer_json != NULL ? GG_OK : gg_fail_within(GG_BAD_DATA, "%s", a->folder);
}

static gg_status bring_in(struct arrival *a, const char *out) {
    GG_TRY(make_model(a));
    GG_TRY(take_tokenizer(a));
    GG_TRY(take_chat_template(a));
    GG_TRY(make_meta(a));
    return gg_huggingface_import_weights(a->folder, &a->graph.table, &a->meta, out);
}

static gg_status import_folder(const char *folder, const struct values *values) {
    struct arrival a = {.folder = folder, .context = values->context};
    gg_settings_init(&a.settings);
    const gg_status status = bring_in(&a, values->out);
    gg_checkpoint_meta_free(&a.meta);
    gg_graph_free(&a.graph);
    gg_tokenizer_destroy(&a.tokenizer);
    gg_settings_free(&a.settings);
    return status;
}

/* Storage is what an import waits for: rank 0 does it, the others wait. */
static gg_status import(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    const struct values *values = options_read;
    if (values->out == NULL)
        return gg_fail(GG_USAGE, "--out is wanted: the checkpoint to write");
    return gg_agree(world->comm, world->rank == 0 ? import_folder(words->items[0], values) : GG_OK);
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_job_run(command, argc, argv, &values, 1, 1, import);
}

const struct gg_command gg_command_import = {
    .name = "import",
    .usage = "[mpirun -n N] gridgpt import FOLDER --out CHECKPOINT [--context N]",
    .summary =
        "a Hugging Face model into a checkpoint of weights\n\n"
        "FOLDER holds config.json, of GPT-2, OpenAI-GPT, Llama, Mistral or Qwen3; model.safetensors, or\n"
        "shards with model.safetensors.index.json, in F32, F16 or BF16; and tokenizer.json, or vocab.json\n"
        "with merges.txt. A tokenizer that is not byte-level BPE is left behind, with a warning, and the\n"
        "checkpoint works on token ids. It needs the memory of one tensor, not of the model. What cannot\n"
        "be followed exactly is refused by its key, with status 65, and nothing is written.",
    .options = &table,
    .run = run,
};
